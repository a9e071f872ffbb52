/**
 * How tasks share the steps of training, and what an epoch covers. A task's size n is the number of
 * batches in one pass over its rows. All of it is a function of the seed and the step alone, so that a
 * run that is taken up again goes on exactly.
 *
 * - `both`: every step takes a batch of every task; an epoch covers the largest task once.
 * - `proportional`: the batches of all tasks together in random order, every row once an epoch (MT-DNN,
 *   Liu et al., arXiv 1901.11504, algorithm 1).
 * - `round-robin`: tasks in turn; an epoch covers the largest once.
 * - `temperature`: a step draws its task with chance ∝ n^(1/T) (Raffel et al., arXiv 1910.10683, section
 *   3.5.2, without their limit on n); an epoch has as many steps as `proportional`.
 * - `annealed`: a step draws its task with chance ∝ n^a, a falling from 1 to 0.2 over the run (Stickland
 *   and Murray, arXiv 1902.02671, section 4.3: a = 1 − 0.8·(e − 1)/(E − 1) in epoch e of E). Here a
 *   falls with every step, so that a run of one epoch anneals too; epochs as of `temperature`.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import type { Mixing } from "@/config.ts";
import { shuffle, stream } from "@/random.ts";

/** Batches in one pass over each task's rows. */
export type TaskBatches = { readonly name: string; readonly batchesPerEpoch: number };

/** Which tasks a step takes batches of. */
export type MixingPlan = {
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Steps of the whole run: those of its epochs, at least one, at most `maxSteps`. */
  readonly steps: number;
  /** Tasks of step `step`, counted from 0, each once. */
  tasksOfStep(step: number): readonly string[];
  /** What an epoch covers, for a reader of the run. */
  readonly note: string;
};

/** What a plan follows from, besides the tasks. */
export type MixingOptions = {
  readonly epochs: number;
  readonly maxSteps: number | null;
  /** Batches of each of its tasks that a step takes. */
  readonly accumulate: number;
  /** T of `temperature`. */
  readonly mixingTemperature: number;
  readonly seed: number;
};

/** What remains of the exponent of `annealed` at the end. */
const LAST_EXPONENT = 0.2;

/** The plan of a mixing over tasks of the given sizes. */
export function planMixing(
  mixing: Mixing,
  tasks: readonly TaskBatches[],
  options: MixingOptions,
): MixingPlan {
  const { accumulate, seed } = options;
  // What a task has steps for, the last of them with batches of the next pass.
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
  const rounds = tasks.map(({ name, batchesPerEpoch }) => {
    const times = largest * accumulate / batchesPerEpoch;
    return times === 1 ? `every row of ${name} once` : `${name} ${times.toFixed(1)} times round`;
  }).join(", ");
  /** Draws each step's task with the chances that an exponent of the sizes gives. */
  const draw = (exponentOf: (step: number, steps: number) => number) =>
    plan(
      total,
      describeChances(tasks, sizes, [exponentOf(0, 2), exponentOf(1, 2)]),
      (step, steps) =>
        pick(drawTask(sizes, exponentOf(step, steps), stream(seed, "mixing", step).uniform())),
    );
  switch (mixing) {
    case "both": {
      const all = tasks.map(({ name }) => name);
      return plan(largest, rounds, () => all);
    }
    case "proportional": {
      const order = shuffledEpochs(sizes, seed);
      return plan(total, "every row of every task once", (step) => pick(order(step)));
    }
    case "round-robin":
      return plan(largest * tasks.length, rounds, (step) => pick(step % tasks.length));
    case "temperature":
      return draw(() => 1 / options.mixingTemperature);
    case "annealed":
      return draw((step, steps) => 1 - (1 - LAST_EXPONENT) * step / Math.max(1, steps - 1));
    default:
      return assertNever(mixing, "mixing");
  }
}

/** Index of the task of each step where an epoch is all tasks' batches, shuffled. */
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

/** Chances of tasks in proportion to a power of their sizes. */
export function taskChances(sizes: readonly number[], exponent: number): readonly number[] {
  const powers = sizes.map((size) => size ** exponent);
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Index of the task that a uniform number in [0, 1) falls to. */
function drawTask(sizes: readonly number[], exponent: number, uniform: number): number {
  let left = uniform;
  const found = taskChances(sizes, exponent).findIndex((chance) => (left -= chance) < 0);
  return found < 0 ? sizes.length - 1 : found; // chances may add up to a little less than 1
}

/** The chances at the beginning and, where they change, at the end. */
function describeChances(
  tasks: readonly TaskBatches[],
  sizes: readonly number[],
  [first, last]: readonly [number, number],
): string {
  const percent = (exponent: number) =>
    taskChances(sizes, exponent).map((chance) => (100 * chance).toFixed(1));
  const before = percent(first), after = percent(last);
  const chances = tasks.map(({ name }, i) =>
    `${name} ${before[i]}${first === last ? "" : ` to ${after[i]}`} %`
  );
  return `each draws its task, ${chances.join(", ")}`;
}

/** Steps of a run: whole steps of its epochs, at least one, at most `maxSteps`. */
export function countSteps(
  stepsPerEpoch: number,
  { epochs, maxSteps }: Pick<MixingOptions, "epochs" | "maxSteps">,
): number {
  return Math.min(Math.max(1, Math.floor(epochs * stepsPerEpoch)), maxSteps ?? Infinity);
}
