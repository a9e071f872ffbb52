/**
 * Training as a state of progress, for a terminal or a notebook to show.
 * @module
 */
import type { Progress } from "@/progress.ts";

/** Where training stands. */
export type StepStanding = {
  readonly step: number;
  readonly steps: number;
  /** By task. */
  readonly losses: Readonly<Record<string, number>>;
  /** Word pieces seen. */
  readonly tokens: number;
  /** Seconds spent training. */
  readonly seconds: number;
};

/** Losses and tokens a second as details; the view adds step rate and time left. */
export function describeStep(standing: StepStanding): Progress {
  const { step, steps, losses, tokens, seconds } = standing;
  const details = Object.entries(losses).map(([task, loss]) => `${task} ${loss.toFixed(3)}`);
  if (seconds > 0) details.push(`${formatCount(tokens / seconds)} tokens/s`);
  return { label: "train", done: step, total: steps, details };
}

/** A count in three digits: `812`, `2.5k`, `31k`. */
function formatCount(count: number): string {
  if (count < 1000) return count.toFixed(0);
  return count < 9950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1000).toFixed(0)}k`;
}
