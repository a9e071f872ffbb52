import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import pl from "nodejs-polars";
import { pairByClass, readSentencePairs } from "@/data/sentence_pairs.ts";
import { stream } from "@/random.ts";

Deno.test("readSentencePairs() reads STS-B's columns and rejects invalid ones", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const file = join(dir, "test.parquet");
    const columns = { sentence1: ["a", "b"], sentence2: ["c", "d"], score: [0.25, 1] };
    pl.DataFrame(columns).writeParquet(file);
    deepStrictEqual(await readSentencePairs([file]), [
      { first: "a", second: "c", score: 0.25 },
      { first: "b", second: "d", score: 1 },
    ]);
    pl.DataFrame({ ...columns, score: ["high", "low"] }).writeParquet(file);
    await rejects(readSentencePairs([file]), {
      message:
        `Cannot read ${file}: column "score" has type string ("high" in row 0), but must contain numbers. Store it as float64`,
    });
    const faults = [
      [{ sentence1: ["a", null] }, '"sentence1" is null, but must be a string'],
      [{ sentence2: ["c", null] }, '"sentence2" is null, but must be a string'],
      [{ score: [1, null] }, '"score" is null, but must be a finite number'],
      [{ score: [1, NaN] }, '"score" is NaN, but must be a finite number'],
    ] as const;
    for (const [fault, problem] of faults) {
      pl.DataFrame({ ...columns, ...fault }).writeParquet(file);
      await rejects(readSentencePairs([file]), {
        message: `Cannot use row 1 of ${file} (counted from 0): ${problem}`,
      });
    }
    pl.DataFrame({ ...columns, score: [2, 5] })
      .withColumn(pl.col("score").cast(pl.UInt64)).writeParquet(file);
    deepStrictEqual((await readSentencePairs([file])).map(({ score }) => score), [2, 5]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("pairByClass() uses each row once at most and scores by class", () => {
  const rows = Array.from({ length: 9 }, (_, i) => ({ text: `text ${i}`, label: i % 2 }));
  const pairs = pairByClass(rows, stream(1, "pairs"));
  strictEqual(pairs.length, 4);
  strictEqual(new Set(pairs.flatMap(({ first, second }) => [first, second])).size, 8);
  const label = (text: string) => rows.find((row) => row.text === text)?.label;
  for (const { first, second, score } of pairs) {
    strictEqual(score, label(first) === label(second) ? 1 : 0);
  }
});
