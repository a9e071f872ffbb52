/** Outputs of the native executor compared with those of another. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";

/** Values of outputs by name. */
export type Values = Record<string, number[]>;

/** Fails where values differ by more than `tolerance` of the largest of their output. */
export function assertClose(
  actual: Values,
  expected: Values,
  tolerance: number,
) {
  deepStrictEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, wanted] of Object.entries(expected)) {
    const got = actual[name] ?? [];
    strictEqual(got.length, wanted.length, name);
    const scale = Math.max(1e-6, ...wanted.map(Math.abs).filter(Number.isFinite));
    wanted.forEach((w, i) => {
      const g = got[i] as number;
      ok(
        Object.is(g, w) || Math.abs(g - w) <= tolerance * scale,
        `${name}[${i}] is ${g}, not ${w}`,
      );
    });
  }
}
