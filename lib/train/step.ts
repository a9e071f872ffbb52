/**
 * A training step, with the state as argument and result:
 *
 *     [state, metrics] = await trainStep(state, batches)
 *
 * 1. Loss and gradient of every task's batches, summed in the parameters' gradient buffers. Layers around the
 *    loss are a fixed or a learned task weight, the weight of a micro-batch and the loss scale, in `losses.ts`.
 * 2. The optimizer: a list of transforms from gradients to updates, in `optimizer.ts`.
 *
 * Layers and transforms that the configuration does not ask for are left out. Both parts are compiled functions, one
 * per combination of tasks and unfreezing stage. They update the tensors of the state in place. Therefore a state can
 * be used only once, like donated buffers in JAX; its numbers never change.
 *
 * Shapes: B rows, T tokens.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossScaleConfig } from "@/config/config.ts";
import { jit } from "@/engine/jit.ts";
import { dynamicBatchDimensions, type InputTensors, inputTensors } from "@/model/bert.ts";
import { findTask, runTask } from "@/model/multi_task.ts";
import type { MultiTask } from "@/model/parameters.ts";
import { stream } from "@/random.ts";
import type { Batch } from "@/text/example.ts";
import {
  countLabels,
  crossEntropy,
  fixedWeight,
  isFiniteNorm,
  type LossScaler,
  microBatchWeight,
  MIN_LOSS_SCALE,
  nextLossScaler,
  scaledBy,
  uncertaintyWeight,
  weighMicroBatches,
} from "@/train/losses.ts";
import {
  type AdamOptions,
  addDecayedWeights,
  applyUpdate,
  chain,
  clipByGlobalNorm,
  computeBias,
  scaleByAdam,
  scaleByLearningRate,
  startUpdates,
  traceBias,
  unscale,
} from "@/train/optimizer.ts";
import {
  logVarianceName,
  type TrainedParameter,
  updateGroupOf,
} from "@/train/trained_parameters.ts";

/** The state of training between two steps. */
export type TrainState = {
  /** Number of completed steps, including skipped ones. */
  readonly step: number;
  /** Number of steps skipped because of non-finite gradients; only with a loss scale. */
  readonly skipped: number;
  /** Weights, moments and learned task weights; gradients are zero between steps. */
  readonly parameters: readonly TrainedParameter[];
  /** Number of updates of each update group (see {@link updateGroupOf}): t in AdamW. */
  readonly updates: Readonly<Record<string, number>>;
  /** Null without a loss scale. */
  readonly lossScaler: LossScaler | null;
};

/** The micro-batches of a step by task, at least one each; their rows count as one large batch. */
export type StepBatches = ReadonlyMap<string, readonly Batch[]>;

/** Metrics of a step, as sums and counts. */
export type StepMetrics = {
  /**
   * Sum of the loss over the labels and number of labels, by task. A label is a row for classification, a word for
   * tagging. Losses are without any weight or scale, and micro-batches with a non-finite loss are left out.
   */
  readonly losses: Readonly<Record<string, { readonly sum: number; readonly count: number }>>;
  /** Number of tokens, without padding. */
  readonly tokens: number;
  /** Global norm of all gradients, unscaled, before clipping. */
  readonly gradientNorm: number;
  /** True if the parameters are unchanged because the gradient is not finite; only with a loss scale. */
  readonly skipped: boolean;
  /** The schedule's factor on the peak learning rates. */
  readonly rate: number;
};

/** Options of {@link createTrainStep}; all are fixed for a run. */
export type StepOptions = {
  /** Tasks and the weights of their losses; learned weights, if there are any in the state, replace them. */
  readonly tasks: readonly { readonly name: string; readonly weight: number }[];
  /** Factor on the peak learning rates at a step, counted from 0. */
  readonly schedule: (step: number) => number;
  readonly adam: AdamOptions;
  /** Maximum global norm of the gradients; null for no clipping. */
  readonly clipNorm: number | null;
  readonly dropout: { readonly hidden: number; readonly attention: number; readonly head: number };
  /** Loss scaling, for mixed-float16; null (the default) for none. */
  readonly lossScale?: LossScaleConfig | null;
  /** Interval in steps at which one more parameter group learns; null (the default) if all learn from the start. */
  readonly stepsPerStage?: number | null;
  /** Seed of the dropout masks. */
  readonly seed: number;
  /** Rows of a batch, as errors name them; default: the indices of its examples. */
  readonly rowsOf?: (task: string, batch: Batch) => readonly number[];
};

/** Runs a step. It consumes `state`: its tensors are updated in place and belong to the returned state. */
export type TrainStep = (
  state: TrainState,
  batches: StepBatches,
) => Promise<[TrainState, StepMetrics]>;

/** The state before the first step; `lossScale` as in {@link StepOptions}. */
export function createTrainState(
  parameters: readonly TrainedParameter[],
  { lossScale = null }: Pick<StepOptions, "lossScale">,
): TrainState {
  return {
    step: 0,
    skipped: 0,
    parameters,
    updates: Object.fromEntries(parameters.map((each) => [updateGroupOf(each), 0])),
    lossScaler: lossScale && { scale: Math.fround(lossScale.initial), streak: 0 },
  };
}

/** Creates the step of a model and its trained parameters. */
export function createTrainStep(
  model: MultiTask,
  parameters: readonly TrainedParameter[],
  options: StepOptions,
): TrainStep {
  const { tasks, schedule, seed, lossScale = null, stepsPerStage = null } = options;
  const { rowsOf = (_task, { examples }) => examples } = options;
  const used = new WeakSet<TrainState>();
  const lastStage = Math.max(...parameters.map(({ stage }) => stage));
  const gradientPrograms = new Map<string, GradientProgram>();
  const updatePrograms = new Map<string, UpdateProgram>();
  /** The stage of gradual unfreezing at a step, counted from 0; without stages every parameter learns. */
  const stageOfStep = (step: number) =>
    stepsPerStage === null ? lastStage : Math.min(Math.floor(step / stepsPerStage), lastStage);
  /** The parameters of a task that learn in a stage. */
  const learning = (task: string, stage: number) =>
    parameters.filter((each) => each.stage <= stage && each.tasks.includes(task));
  const gradientProgram = (task: string, stage: number) =>
    cached(
      gradientPrograms,
      `${task} ${stage}`,
      () => createGradientProgram(model, task, learning(task, stage), options),
    );
  const updateProgram = (batches: StepBatches, stage: number) =>
    cached(updatePrograms, `${tasks.map(({ name }) => batches.has(name))} ${stage}`, () => {
      // Other parameters neither change nor decay, like a parameter without gradient in PyTorch.
      const updated = new Set([...batches.keys()].flatMap((task) => learning(task, stage)));
      return createUpdateProgram(parameters.filter((each) => updated.has(each)), options);
    });

  /** The error for a non-finite number in a step, with the rows that caused it. */
  const notFinite = (what: string, value: number, { step, batches }: {
    readonly step: number;
    readonly batches: StepBatches;
  }) => {
    const rows = [...batches].map(([task, parts]) =>
      `${task} rows ${parts.flatMap((batch) => rowsOf(task, batch)).join(", ")}`
    );
    return new RangeError(
      `Cannot continue training: at step ${step + 1} ${what} is ${value}; ` +
        `try a lower learning rate. Batch: ${rows.join("; ")}`,
    );
  };

  /** Adds the gradients of a task's micro-batches, in place, and returns the sum of their losses. */
  const addGradients = async (state: TrainState, task: string, parts: readonly Batch[]) => {
    const { step, lossScaler } = state;
    const program = gradientProgram(task, stageOfStep(step));
    const weights = weighMicroBatches(parts);
    let sum = 0, count = 0;
    for (const [i, batch] of parts.entries()) {
      const path = i === 0 ? [task, step] : [task, step, i];
      const found = await program(batch, {
        dropoutSeed: stream(seed, "dropout", ...path).uint32() | 0,
        batchWeight: weights[i] ?? 1,
        lossScale: lossScaler?.scale ?? null,
      });
      if (Number.isFinite(found.loss)) {
        sum += found.loss * found.count;
        count += found.count;
      } else if (lossScaler === null) { // otherwise the update skips this step
        const batches = new Map([[task, [batch]]]);
        throw notFinite(`the loss of ${task}`, found.loss, { step, batches });
      }
    }
    return { sum, count };
  };

  return async (state, batches) => {
    if (state.parameters !== parameters) {
      throw new TypeError("internal: the state has the parameters of another model");
    }
    if (used.has(state)) {
      throw new TypeError("internal: a step has already updated the tensors of this state");
    }
    used.add(state);
    const { step, updates, lossScaler } = state;

    const losses: Record<string, { readonly sum: number; readonly count: number }> = {};
    for (const [task, parts] of batches) losses[task] = await addGradients(state, task, parts);

    const rate = schedule(step);
    const { groups, run } = updateProgram(batches, stageOfStep(step));
    const { gradientNorm, finite } = await run(rate, updates, lossScaler);
    if (finite && !Number.isFinite(gradientNorm)) {
      throw notFinite("the gradient norm", gradientNorm, { step, batches });
    }
    const next = lossScaler && lossScale && nextLossScaler(lossScaler, finite, lossScale);
    if (next !== null && next.scale < MIN_LOSS_SCALE) {
      throw notFinite("the gradient norm at the minimum loss scale", NaN, { step, batches });
    }

    const counted = groups.map((group) => [group, (updates[group] ?? 0) + Number(finite)]);
    return [{
      step: step + 1,
      skipped: state.skipped + Number(!finite),
      parameters,
      updates: { ...updates, ...Object.fromEntries(counted) },
      lossScaler: next,
    }, {
      losses,
      tokens: [...batches.values()].flat().reduce((sum, { tokens }) => sum + tokens, 0),
      gradientNorm,
      skipped: !finite,
      rate,
    }];
  };
}

/** The value of `key`, made by `make` on first use. */
function cached<T>(values: Map<string, T>, key: string, make: () => T): T {
  const known = values.get(key);
  if (known !== undefined) return known;
  const made = make();
  values.set(key, made);
  return made;
}

/** Adds the gradient of a micro-batch's loss into the gradient buffers, in place. Returns the loss without layers. */
type GradientProgram = (batch: Batch, options: {
  readonly dropoutSeed: number;
  /** Weight of the micro-batch; 1 leaves the layer out. */
  readonly batchWeight: number;
  readonly lossScale: number | null;
}) => Promise<{ readonly loss: number; readonly count: number }>;

type GradientInputs = InputTensors & {
  /** [B] or [B · T] int32 */
  readonly labels: tf.Tensor1D;
  /** int32 */
  readonly seed: tf.Scalar;
  readonly batchWeight?: tf.Scalar;
  readonly lossScale?: tf.Scalar;
};

/** Creates the gradient program of a task; it is compiled once and serves all batch shapes. */
function createGradientProgram(
  model: MultiTask,
  task: string,
  learning: readonly TrainedParameter[],
  { tasks, dropout }: StepOptions,
): GradientProgram {
  const logVariance = learning.find(({ plan }) => plan.name === logVarianceName(task))?.weight;
  const weight = tasks.find(({ name }) => name === task)?.weight;
  if (weight === undefined) throw new TypeError(`internal: no weight of task ${task}`);
  const dynamic = dynamicBatchDimensions(model, {
    labels: findTask(model, task).kind === "tagging" ? ["B·T"] : ["B"],
  });
  const program = jit(`gradient.${task}`, (inputs: GradientInputs) => {
    const { ids, mask, labels, seed, batchWeight, lossScale } = inputs;
    const layers = [
      logVariance ? uncertaintyWeight(logVariance) : fixedWeight(weight),
      ...(batchWeight ? [microBatchWeight(batchWeight)] : []),
      ...(lossScale ? [scaledBy(lossScale)] : []),
    ];
    const { value, grads } = tf.variableGrads(() => {
      const logits = runTask(model, task, { ids, mask, dropout: { seed, ...dropout } });
      const loss: tf.Tensor = crossEntropy(logits, labels);
      return layers.reduce((inner, { wrap }) => wrap(inner), loss) as tf.Scalar;
    }, learning.map(({ weight }) => weight));
    for (const { weight, gradient } of learning) {
      const added = grads[weight.name];
      if (added === undefined) throw new TypeError(`internal: no gradient of ${weight.name}`);
      gradient.assign(tf.add(gradient, added));
    }
    const loss = layers.reduceRight<tf.Tensor>((outer, { unwrap }) => unwrap(outer), value);
    return { loss, count: countLabels(labels) };
  }, { dynamic });
  return async (batch, { dropoutSeed, batchWeight, lossScale }) => {
    const inputs: GradientInputs = {
      ...inputTensors(batch),
      labels: tf.tensor1d(batch.labels, "int32"),
      seed: tf.scalar(dropoutSeed, "int32"),
      ...(batchWeight !== 1 && { batchWeight: tf.scalar(batchWeight) }),
      ...(lossScale !== null && { lossScale: tf.scalar(lossScale) }),
    };
    const outputs = await program(inputs);
    const loss = await readScalar(outputs.loss), count = await readScalar(outputs.count);
    tf.dispose([inputs, outputs]);
    return { loss: logVariance ? loss : loss / weight, count };
  };
}

/** The optimizer of a fixed set of parameters. */
type UpdateProgram = {
  /** Names of the update groups of the parameters. */
  readonly groups: readonly string[];
  /** Updates weights and moments in place, unless the gradient is not finite, and clears the gradients. */
  readonly run: (
    rate: number,
    updates: TrainState["updates"],
    lossScaler: LossScaler | null,
  ) => Promise<{ readonly gradientNorm: number; readonly finite: boolean }>;
};

/** Creates the update program of the given parameters. */
function createUpdateProgram(
  parameters: readonly TrainedParameter[],
  { adam, clipNorm }: StepOptions,
): UpdateProgram {
  const groups = [...Map.groupBy(parameters, updateGroupOf)];
  const all = groups.flatMap(([, group]) => group);
  type Inputs = { readonly rate: tf.Scalar; readonly [name: string]: tf.Scalar };
  const program = jit("update", (inputs: Inputs) => {
    const { rate, lossScale } = inputs;
    const start = startUpdates(all);
    // A step whose gradient is not finite is skipped, as by apply_if_finite in optax.
    const finite = lossScale ? isFiniteNorm(start.norm) : null;
    const choose = (next: tf.Tensor, old: tf.Tensor) => finite ? tf.where(finite, next, old) : next;
    const optimizer = chain(
      ...(lossScale ? [unscale(lossScale)] : []),
      ...(clipNorm === null ? [] : [clipByGlobalNorm(clipNorm)]),
      scaleByAdam(adam),
      addDecayedWeights(),
      scaleByLearningRate(),
    );
    const updates = optimizer(start);
    for (const [i, [, group]] of groups.entries()) {
      const { [`t${i}`]: t, [`corrected${i}`]: corrected, [`epsilon${i}`]: epsilon } = inputs;
      // With a loss scale the program computes the bias correction, in float32, else the host in float64.
      const bias = t ? traceBias(t, rate, adam) : corrected && epsilon && { corrected, epsilon };
      if (!bias) throw new TypeError("internal: an update group has no scalars");
      for (const parameter of group) {
        const { weight, first, second, gradient } = parameter;
        const next = applyUpdate(weight, updates.of(parameter, { rate, ...bias }), rate);
        weight.assign(choose(next.weight, weight));
        first.assign(choose(next.first, first));
        second.assign(choose(next.second, second));
        gradient.assign(tf.zerosLike(gradient));
      }
    }
    return { norm: updates.norm, ...(finite && { finite: tf.cast(finite, "float32") }) };
  });
  return {
    groups: groups.map(([name]) => name),
    async run(rate, updates, lossScaler) {
      const inputs: Record<string, tf.Scalar> & Inputs = { rate: tf.scalar(rate) };
      if (lossScaler !== null) inputs.lossScale = tf.scalar(lossScaler.scale);
      for (const [i, [name]] of groups.entries()) {
        const t = (updates[name] ?? 0) + 1;
        if (lossScaler !== null) {
          inputs[`t${i}`] = tf.scalar(t);
        } else {
          const { corrected, epsilon } = computeBias(t, rate, adam);
          inputs[`corrected${i}`] = tf.scalar(corrected);
          inputs[`epsilon${i}`] = tf.scalar(epsilon);
        }
      }
      const outputs = await program(inputs);
      const gradientNorm = await readScalar(outputs.norm);
      const finite = outputs.finite === undefined || await readScalar(outputs.finite) === 1;
      tf.dispose([inputs, outputs]);
      return { gradientNorm, finite };
    },
  };
}

async function readScalar(scalar: tf.Tensor): Promise<number> {
  const [value = NaN] = await scalar.data();
  return value;
}
