/**
 * How the learning rates rise and fall over a run, as a factor of their peaks.
 * @module
 */
import type { Schedule } from "@/config.ts";
import { assertNever } from "@/assert_never.ts";

/** Where in the run a step stands. */
export type ScheduleOptions = {
  /** Steps of the whole run. */
  readonly steps: number;
  /** Share of the steps over which the factor rises from zero. */
  readonly warmup: number;
};

/**
 * Factor of step `step`, counted from 0: rises by equal amounts to 1 over the warm-up, then falls to 0 at
 * `steps`, along a line or a half cosine (Loshchilov and Hutter, arXiv 1608.03983). The first step
 * already moves, the last one too. A linear warm-up that ends within a step peaks a little above 1,
 * by less than one step's fall: its length is not rounded to whole steps.
 */
export function scheduleFactor(
  schedule: Schedule,
  step: number,
  { steps, warmup }: ScheduleOptions,
): number {
  const rising = (step + 1) / (warmup * steps);
  const left = Math.max(0, (steps - step) / (steps * (1 - warmup))); // above 1 during the warm-up
  switch (schedule) {
    case "linear":
      return Math.min(rising, left);
    case "cosine":
      return Math.min(rising, (1 - Math.cos(Math.PI * Math.min(1, left))) / 2);
    default:
      return assertNever(schedule, "schedule");
  }
}
