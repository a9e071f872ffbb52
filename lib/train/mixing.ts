/**
 * Task mixing: which tasks each training step takes batches from, and what an epoch covers. The size n of a task is
 * the number of batches in one pass over its rows. The plan depends only on the seed and the step, so a resumed run
 * continues exactly.
 *
 * - `both`: every step takes a batch of every task; an epoch is one pass over the largest task.
 * - `proportional`: the batches of all tasks together in random order; an epoch is one pass over all rows (MT-DNN,
 *   Liu et al., arXiv 1901.11504, algorithm 1).
 * - `round-robin`: tasks take turns; an epoch is one pass over the largest task.
 * - `temperature`: each step samples its task with probability ∝ n^(1/T) (Raffel et al., arXiv 1910.10683, section
 *   3.5.2, without their limit on n); an epoch has as many steps as with `proportional`.
 * - `annealed`: each step samples its task with probability ∝ n^a, where `a` falls from 1 to 0.2 during the run
 *   (Stickland and Murray, arXiv 1902.02671, section 4.3: a = 1 − 0.8·(e − 1)/(E − 1) in epoch e of E). Here `a` falls
 *   with every step, so that it also anneals in a run of one epoch; an epoch is the same as with `temperature`.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import type { Mixing } from "@/config/config.ts";
import { shuffle, stream } from "@/random.ts";

/** A task and the number of batches in one pass over its rows. */
type TaskBatches = { readonly name: string; readonly batchesPerEpoch: number };

/** The tasks of each step. */
export type MixingPlan = {
  /** Number of steps in an epoch. */
  readonly stepsPerEpoch: number;
  /** Number of steps in the run: those of its epochs, at least 1, at most `maxSteps`. */
  readonly steps: number;
  /** Names of the tasks in step `step`, counted from 0. */
  tasksOfStep(step: number): readonly string[];
  /** A sentence for the user that says what an epoch covers. */
  readonly note: string;
};

/** Options of {@link planMixing}. */
type MixingOptions = {
  readonly epochs: number;
  readonly maxSteps: number | null;
  /** Number of micro-batches per task and step. */
  readonly accumulate: number;
  /** T in `temperature`. */
  readonly mixingTemperature: number;
  readonly seed: number;
};

/** Final exponent of `annealed`. */
const LAST_EXPONENT = 0.2;

/** Plans which tasks the steps of a run use. */
export function planMixing(
  mixing: Mixing,
  tasks: readonly TaskBatches[],
  options: MixingOptions,
): MixingPlan {
  const { accumulate, seed } = options;
  // Steps per pass; the last step may take micro-batches of the next pass.
  const sizes = tasks.map(({ batchesPerEpoch }) => Math.ceil(batchesPerEpoch / accumulate));
  const names = tasks.map(({ name }) => [name]);
  const largest = Math.max(...sizes), total = sizes.reduce((sum, size) => sum + size, 0);
  const plan = (
    stepsPerEpoch: number,
    covers: string,
    tasksOfStep: (step: number, steps: number) => readonly string[],
  ): MixingPlan => {
    const steps = countSteps(stepsPerEpoch, options);
    const unit = stepsPerEpoch === 1 ? "step" : "steps";
    const note = `An epoch is ${stepsPerEpoch} ${unit}: ${covers}.`;
    return { stepsPerEpoch, steps, tasksOfStep: (step) => tasksOfStep(step, steps), note };
  };
  const pick = (index: number) => names[index] ?? [];
  const passesByTask = tasks.map(({ name, batchesPerEpoch }) => {
    const passes = largest * accumulate / batchesPerEpoch;
    return passes === 1 ? `one pass over ${name}` : `${passes.toFixed(1)} passes over ${name}`;
  }).join(", ");
  /** Plans to sample the task of each step with probabilities ∝ n^exponent. */
  const draw = (exponentOf: (step: number, steps: number) => number) =>
    plan(
      total,
      describeProbabilities(tasks, sizes, [exponentOf(0, 2), exponentOf(1, 2)]),
      (step, steps) =>
        pick(drawTask(sizes, exponentOf(step, steps), stream(seed, "mixing", step).uniform())),
    );
  switch (mixing) {
    case "both": {
      const all = tasks.map(({ name }) => name);
      return plan(largest, passesByTask, () => all);
    }
    case "proportional": {
      const order = shuffledEpochs(sizes, seed);
      return plan(total, "one pass over all rows", (step) => pick(order(step)));
    }
    case "round-robin":
      return plan(largest * tasks.length, passesByTask, (step) => pick(step % tasks.length));
    case "temperature":
      return draw(() => 1 / options.mixingTemperature);
    case "annealed":
      return draw((step, steps) => 1 - (1 - LAST_EXPONENT) * step / Math.max(1, steps - 1));
    default:
      return assertNever(mixing, "mixing");
  }
}

/** Returns the task index of a step, if every epoch shuffles the batches of all tasks. */
function shuffledEpochs(sizes: readonly number[], seed: number): (step: number) => number {
  const batches = sizes.flatMap((size, task) => new Array<number>(size).fill(task));
  let known = { epoch: -1, order: batches };
  return (step) => {
    const epoch = Math.floor(step / batches.length);
    if (epoch !== known.epoch) {
      known = { epoch, order: shuffle(batches, stream(seed, "mixing", epoch)) };
    }
    return known.order[step % batches.length] ?? -1;
  };
}

/** Probabilities of the tasks, ∝ size^exponent. */
function taskProbabilities(sizes: readonly number[], exponent: number): readonly number[] {
  const powers = sizes.map((size) => size ** exponent);
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Index of the task that a uniform random number in [0, 1) selects. */
function drawTask(sizes: readonly number[], exponent: number, uniform: number): number {
  let left = uniform;
  const found = taskProbabilities(sizes, exponent).findIndex((probability) =>
    (left -= probability) < 0
  );
  return found < 0 ? sizes.length - 1 : found; // the probabilities may sum to slightly less than 1
}

/** Describes the probabilities at the start and, if they change, at the end. */
function describeProbabilities(
  tasks: readonly TaskBatches[],
  sizes: readonly number[],
  [first, last]: readonly [number, number],
): string {
  const percent = (exponent: number) =>
    taskProbabilities(sizes, exponent).map((probability) => (100 * probability).toFixed(1));
  const before = percent(first), after = percent(last);
  const probabilities = tasks.map(({ name }, i) =>
    `${name} ${before[i]}${first === last ? "" : ` to ${after[i]}`} %`
  );
  return `each step samples its task (${probabilities.join(", ")})`;
}

/** Number of steps in a run: `epochs` times `stepsPerEpoch`, rounded down, at least 1, at most `maxSteps`. */
function countSteps(
  stepsPerEpoch: number,
  { epochs, maxSteps }: Pick<MixingOptions, "epochs" | "maxSteps">,
): number {
  return Math.min(Math.max(1, Math.floor(epochs * stepsPerEpoch)), maxSteps ?? Infinity);
}
