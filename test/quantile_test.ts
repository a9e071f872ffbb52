import { ok, strictEqual, throws } from "node:assert/strict";
import { readJson } from "@/system/files.ts";
import { quantile, studentQuantile } from "@/quantile.ts";

type Fixture = {
  scipy: string;
  shares: number[];
  rows: { freedom: number; values: number[] }[];
};
const { scipy, shares, rows } = await readJson(
  "test/fixtures/student_t.json",
  "fixture",
) as Fixture;

Deno.test(`studentQuantile() agrees with scipy ${scipy} to eight digits`, () => {
  for (const { freedom, values } of rows) {
    for (const [i, share] of shares.entries()) {
      const wanted = values[i] ?? NaN, found = studentQuantile(share, freedom);
      ok(Math.abs(found / wanted - 1) < 1e-8, `${share}, ${freedom}: ${found}, not ${wanted}`);
      ok(Math.abs(studentQuantile(1 - share, freedom) / wanted + 1) < 1e-8, "symmetric");
    }
  }
});

Deno.test("studentQuantile() agrees with the published table to three decimals", () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975
  const published = [
    [1, 12.706],
    [4, 2.776],
    [10, 2.228],
    [11, 2.201],
    [12, 2.179],
    [20, 2.086],
    [
      30,
      2.042,
    ],
    [60, 2.000],
    [100, 1.984],
  ] as const;
  for (const [freedom, value] of published) {
    strictEqual(studentQuantile(0.975, freedom).toFixed(3), value.toFixed(3));
  }
  ok(Math.abs(studentQuantile(0.5, 3)) < 1e-12);
});

Deno.test("studentQuantile() rejects invalid arguments", () => {
  for (const [share, freedom] of [[0, 1], [1, 1], [NaN, 1], [0.5, 0], [0.5, Infinity]] as const) {
    throws(() => studentQuantile(share, freedom), {
      name: "RangeError",
      message:
        "Cannot compute a quantile of Student's t as share must be between 0 and 1 and the degrees of freedom must " +
        `be finite and above 0: current values are ${share} and ${freedom}`,
    });
  }
});

Deno.test("quantile() uses the nearest rank", () => {
  strictEqual(quantile([3, 1, 2, 4], 0.5), 2);
  strictEqual(quantile([3, 1, 2, 4], 1), 4);
  strictEqual(quantile([], 0.5), NaN);
});
