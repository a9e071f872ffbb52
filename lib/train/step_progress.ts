/**
 * Training progress, for a terminal or a notebook.
 * @module
 */
import type { Progress } from "@/progress.ts";

/** Progress of training. */
export type StepStatus = {
  readonly step: number;
  readonly steps: number;
  /** Loss by task. */
  readonly losses: Readonly<Record<string, number>>;
  /** Tokens processed, without padding. */
  readonly tokens: number;
  /** Seconds spent training. */
  readonly seconds: number;
};

/** Formats losses and tokens per second as details; the view adds steps per second and the remaining time. */
export function describeStep(status: StepStatus): Progress {
  const { step, steps, losses, tokens, seconds } = status;
  const details = Object.entries(losses).map(([task, loss]) => `${task} ${loss.toFixed(3)}`);
  if (seconds > 0) details.push(`${formatCount(tokens / seconds)} tokens/s`);
  return { label: "train", done: step, total: steps, details };
}

/** Formats a count with at most three digits: `812`, `2.5k`, `31k`. */
function formatCount(count: number): string {
  if (count < 1000) return count.toFixed(0);
  return count < 9950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1000).toFixed(0)}k`;
}
