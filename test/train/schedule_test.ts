import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { SCHEDULES } from "@/config/config.ts";
import { scheduleFactor } from "@/train/schedule.ts";

/** The factors of all steps of a run. */
const factors = (schedule: typeof SCHEDULES[number], steps: number, warmup: number) =>
  Array.from({ length: steps }, (_, step) => scheduleFactor(schedule, step, { steps, warmup }));

Deno.test("scheduleFactor() rises during warmup and falls linearly, like LambdaLR's formula", () => {
  // steps 10, warmup 0.2: (s + 1) / 2 for the first two, then (10 − s) / 8
  deepStrictEqual(factors("linear", 10, 0.2), [
    0.5,
    1,
    8 / 8,
    7 / 8,
    6 / 8,
    5 / 8,
    4 / 8,
    3 / 8,
    2 / 8,
    1 / 8,
  ]);
});

Deno.test("scheduleFactor() falls along a half cosine", () => {
  const found = factors("cosine", 10, 0.2);
  deepStrictEqual(found.slice(0, 3), [0.5, 1, 1]);
  // halfway down, (10 − 6) / 8 = 1/2 is left: (1 − cos(π/2)) / 2 = 1/2
  ok(Math.abs((found[6] ?? 0) - 0.5) < 1e-12);
  // 1/8 is left: (1 − cos(π/8)) / 2
  ok(Math.abs((found[9] ?? 0) - (1 - Math.cos(Math.PI / 8)) / 2) < 1e-12);
});

for (const schedule of SCHEDULES) {
  Deno.test(`scheduleFactor() of ${schedule} is above 0 at every step, rises to 1 and falls to 0`, () => {
    fc.assert(fc.property(
      fc.integer({ min: 2, max: 300 }),
      fc.nat({ max: 99 }),
      (steps, part) => {
        const risingSteps = Math.floor(steps * part / 100);
        const found = factors(schedule, steps, risingSteps / steps);
        ok(found.every((factor) => factor > 0 && factor < 1 + 1e-9));
        const top = Math.max(0, risingSteps - 1);
        ok(Math.abs((found[top] ?? NaN) - 1) < 1e-9);
        found.forEach((factor, s) => {
          const before = found[s - 1] ?? factor;
          ok(s <= top ? factor >= before : factor <= before + 1e-9);
        });
        strictEqual(scheduleFactor(schedule, steps, { steps, warmup: risingSteps / steps }), 0);
      },
    ));
  });
}
