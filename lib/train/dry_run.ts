/**
 * A dry run: measures a few steps, an evaluation and a checkpoint of a run, and predicts its time and memory.
 * @module
 */
import { join } from "node:path";
import type { RunConfig } from "@/config/config.ts";
import { createPredictor } from "@/eval/predict_examples.ts";
import { predictRows } from "@/eval/evaluate_rows.ts";
import { type ProgressView, SILENT } from "@/progress.ts";
import { readProcessMemory } from "@/system/process_memory.ts";
import { collate } from "@/text/batches.ts";
import type { BatchPlan } from "@/text/plan_batches.ts";
import { writeBaselines } from "@/train/baselines.ts";
import { createRunEvaluator } from "@/train/evaluate_run.ts";
import { type PreparedRun, prepareRun } from "@/train/prepare_run.ts";
import { createRunFolder } from "@/train/run_folder.ts";
import { createRunWriter } from "@/train/run_writer.ts";
import type { TrainState } from "@/train/step.ts";

/** Prediction of a run's time and memory. */
export type RunForecast = {
  /** Number of steps; early stopping may end the run before. */
  readonly steps: number;
  /** Seconds by part of the run. */
  readonly seconds: {
    /** Loading and encoding of the data, loading of the model. */
    readonly prepare: number;
    readonly baselines: number;
    readonly train: number;
    readonly evaluate: number;
    readonly save: number;
  };
  readonly totalSeconds: number;
  /** Peak resident memory of the process. */
  readonly peakMiB: number;
};

/** Measured steps, as quantiles of their sizes. The last ones tell what a further shape of batches costs. */
const MEASURED = [0.5, 1, 0.25, 0.75] as const;
/** Times that each measured step is repeated after it has been compiled. */
const REPEATS = 5;
/** Maximum number of rows per task on which evaluation is measured. */
const EVALUATED_ROWS = 256;
/** Maximum number of steps whose batches are counted; longer runs are extrapolated. */
const COUNTED_STEPS = 20_000;

/**
 * Predicts a run: prepares it completely, then runs steps of four sizes, evaluates some
 * validation rows of each task and saves a checkpoint in a temporary folder, which is removed.
 *
 * The time of a step is interpolated by its number of padded tokens. Each shape of batches adds the time of its first step, in which
 * it is compiled.
 */
export async function forecastRun(
  config: RunConfig,
  options: { readonly view?: ProgressView; readonly nowMs?: () => number } = {},
): Promise<RunForecast> {
  const { view = SILENT, nowMs = () => performance.now() } = options;
  const startMs = nowMs();
  const run = await prepareRun(config, null, { view });
  const temporary = await Deno.makeTempDir();
  try {
    const prepare = (nowMs() - startMs) / 1000;
    const timed = async (work: () => Promise<unknown>) => {
      const beginMs = nowMs();
      await work();
      return (nowMs() - beginMs) / 1000;
    };
    const folder = await createRunFolder(join(temporary, "run"));
    const { pad: padId, cls: clsId } = run.tokenizer.ids;
    const batching = { lengths: config.training.lengths, padId, clsId };
    const baselines = config.data.baselines
      ? await timed(() =>
        writeBaselines(folder.dir, run.tasks, {
          ...batching,
          model: run.model,
          seed: config.seed,
          view,
          onBatch: () => {},
        })
      )
      : 0;
    const { train, state } = await measureSteps(run, { ...batching, config, nowMs });
    const evaluation = await measureEvaluation(run, { ...batching, nowMs });
    const writer = createRunWriter(config, {
      run,
      folder,
      changes: [],
      evaluator: createRunEvaluator([], {
        view,
        predictorOf: (task) => createPredictor(run.model, task, batching),
      }),
      nowMs,
    });
    const save = await timed(() => writer.save({ ...run.setup, ...run.start, train: state }));
    const { steps } = run.setup;
    const { evaluateEvery, checkpointEvery } = config.training;
    const times = (every: number | null) => every === null ? 0 : Math.floor((steps - 1) / every);
    const evaluations = times(evaluateEvery) + 1;
    const seconds = {
      prepare,
      baselines,
      train,
      evaluate: evaluations * evaluation.validation + (config.data.scoreTest ? evaluation.test : 0),
      // the last step is saved, and the model; with early stopping also each step that is better, here counted as every other
      save: save * (times(checkpointEvery) + 2 +
        (config.training.earlyStopping === null ? 0 : Math.ceil(evaluations / 2))),
    };
    const { peakMiB } = await readProcessMemory();
    return {
      steps,
      seconds,
      totalSeconds: Object.values(seconds).reduce((sum, each) => sum + each, 0),
      peakMiB,
    };
  } finally {
    await view.finish();
    run.dispose();
    await Deno.remove(temporary, { recursive: true });
  }
}

type Batching = {
  readonly padId: number;
  readonly clsId: number;
  readonly lengths: readonly number[];
};

/** A step's batches by task, and its number of tokens including padding. */
type PlannedStep = {
  readonly plans: ReadonlyMap<string, readonly BatchPlan[]>;
  readonly tokens: number;
};

/** Plans of the first steps of a run, in order. */
function planSteps(
  { setup: { tasks, mixing, steps } }: PreparedRun,
  accumulate: number,
): PlannedStep[] {
  const cursors = new Map(
    [...tasks].map(([name, { stream }]) => [name, { epoch: 0, batch: 0, plans: stream.plans(0) }]),
  );
  return Array.from({ length: Math.min(steps, COUNTED_STEPS) }, (_, step) => {
    const plans = new Map(
      mixing.tasksOfStep(step).map((name) => {
        const cursor = cursors.get(name), stream = tasks.get(name)?.stream;
        if (cursor === undefined || stream === undefined) {
          throw new TypeError(`internal: no task ${name}`);
        }
        const taken = Array.from({ length: accumulate }, () => {
          if (cursor.batch >= cursor.plans.length) {
            cursor.epoch++;
            cursor.batch = 0;
            cursor.plans = stream.plans(cursor.epoch);
          }
          const plan = cursor.plans[cursor.batch++];
          if (plan === undefined) throw new TypeError(`internal: ${name} has no batches`);
          return plan;
        });
        return [name, taken] as const;
      }),
    );
    const tokens = [...plans.values()].flat().reduce(
      (sum, { rows, length }) => sum + rows * length,
      0,
    );
    return { plans, tokens };
  });
}

/** Predicts the seconds of all steps from a few of different sizes. Returns the last state of training. */
async function measureSteps(
  run: PreparedRun,
  { config, nowMs, ...batching }: Batching & {
    readonly config: RunConfig;
    readonly nowMs: () => number;
  },
): Promise<{ readonly train: number; readonly state: TrainState }> {
  const { setup: { trainStep, tasks, steps } } = run;
  const examplesOf = (name: string) => tasks.get(name)?.examples ?? [];
  const planned = planSteps(run, config.training.accumulate);
  const bySize = planned.toSorted((a, b) => a.tokens - b.tokens);
  const chosen = MEASURED.flatMap((share) => bySize[Math.round(share * (bySize.length - 1))] ?? []);
  let state = run.start.train;
  const met = new Set<string>();
  let compile = 0; // seconds for a further shape
  const points: { readonly tokens: number; readonly seconds: number }[] = [];
  for (const { plans, tokens } of chosen) {
    const batches = new Map(
      [...plans].map(([name, each]) =>
        [name, each.map((plan) => collate(examplesOf(name), plan, batching))] as const
      ),
    );
    const seconds: number[] = [];
    for (let repeat = 0; repeat <= REPEATS; repeat++) {
      const beginMs = nowMs();
      [state] = await trainStep(state, batches);
      seconds.push((nowMs() - beginMs) / 1000);
    }
    const [first = 0, ...others] = seconds;
    const steady = others.toSorted((a, b) => a - b)[Math.floor(others.length / 2)] ?? first;
    const shapes = shapesOf(plans).filter((shape) => !met.has(shape));
    if (shapes.length > 0) compile = Math.max(0, first - steady) / shapes.length;
    shapes.forEach((shape) => met.add(shape));
    points.push({ tokens, seconds: steady });
  }
  points.sort((a, b) => a.tokens - b.tokens);
  const counted = planned.reduce((sum, { tokens }) => sum + interpolate(points, tokens), 0);
  const shapes = new Set(planned.flatMap(({ plans }) => shapesOf(plans)));
  return { train: counted * steps / planned.length + shapes.size * compile, state };
}

/** The shapes of a step's batches by task; each is compiled when it first occurs. */
function shapesOf(plans: PlannedStep["plans"]): string[] {
  return [...plans].flatMap(([name, each]) =>
    each.map(({ rows, length }) => `${name} ${rows} ${length}`)
  );
}

/** Seconds of a step of this size: linear between the measured points, in proportion to the size beyond them. */
function interpolate(
  points: readonly { readonly tokens: number; readonly seconds: number }[],
  tokens: number,
): number {
  const above = points.findIndex((point) => point.tokens >= tokens);
  const high = points[above], low = points[above - 1];
  if (high === undefined) return points.at(-1)?.seconds ?? 0;
  if (low === undefined || high.tokens === low.tokens) {
    return high.seconds * tokens / Math.max(1, high.tokens);
  }
  return low.seconds +
    (high.seconds - low.seconds) * (tokens - low.tokens) / (high.tokens - low.tokens);
}

/** Seconds of one evaluation of validation and of all tests, from some validation rows of each task. */
async function measureEvaluation(
  run: PreparedRun,
  { nowMs, ...batching }: Batching & { readonly nowMs: () => number },
): Promise<{ readonly validation: number; readonly test: number }> {
  let validation = 0, test = 0;
  for (const { task, evaluation } of run.tasks) {
    const own = evaluation.get("validation");
    if (own === undefined) continue;
    const rows = own.rows.slice(0, EVALUATED_ROWS);
    const examples = own.examples.filter(({ row }) => row < rows.length);
    const predictor = createPredictor(run.model, task.name, batching);
    await predictRows(predictor, task, { rows, examples }); // compiles
    const beginMs = nowMs();
    await predictRows(predictor, task, { rows, examples });
    const count = (all: readonly { readonly ids: Int32Array }[]) =>
      all.reduce((sum, { ids }) => sum + ids.length, 0);
    const perToken = (nowMs() - beginMs) / 1000 / Math.max(1, count(examples));
    for (const [split, { examples }] of evaluation) {
      if (split === "validation") validation += perToken * count(examples);
      else test += perToken * count(examples);
    }
  }
  return { validation, test };
}
