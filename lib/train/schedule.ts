/**
 * Learning rate schedules: a factor on the peak learning rates.
 * @module
 */
import type { Schedule } from "@/config/config.ts";
import { assertNever } from "@/assert_never.ts";

/** Length of the run and of its warmup. */
type ScheduleOptions = {
  /** Number of steps in the run. */
  readonly steps: number;
  /** Fraction of the steps during which the factor rises from 0. */
  readonly warmup: number;
};

/**
 * The factor at step `step`, counted from 0. It rises linearly to 1 during warmup and then falls to 0 at `steps`,
 * linearly or along a half cosine (Loshchilov and Hutter, arXiv 1608.03983). It is above 0 at the first step and at the
 * last one. The length of the warmup is not rounded to whole steps. Therefore the peak may be slightly above 1, by
 * less than the decrease of one step.
 */
export function scheduleFactor(
  schedule: Schedule,
  step: number,
  { steps, warmup }: ScheduleOptions,
): number {
  const rising = (step + 1) / (warmup * steps);
  const left = Math.max(0, (steps - step) / (steps * (1 - warmup))); // above 1 during warmup
  switch (schedule) {
    case "linear":
      return Math.min(rising, left);
    case "cosine":
      return Math.min(rising, (1 - Math.cos(Math.PI * Math.min(1, left))) / 2);
    default:
      return assertNever(schedule, "schedule");
  }
}
