/**
 * Predictions and embeddings from an exported graph. The graph is run by the caller: by ONNX Runtime, or by
 * its WebAssembly build in a browser.
 *
 * Each text is computed alone and without padding. Eight-bit activations share one scale per batch
 * (`DynamicQuantizeLinear`), so the other texts of a batch and the padding would change the result.
 * Shapes: T tokens, D hidden, E embedding, C labels.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import { type NormalizeMode, POOLING_MODES, type PoolingMode } from "@/config/config.ts";
import { normalizeVector } from "./embedding_similarity.ts";
import type { Predictor } from "@/eval/predict_examples.ts";
import {
  combinePredictors,
  softmaxRowsInto,
  type TextInputOptions,
  type TextPredictor,
} from "@/eval/text_predictor.ts";
import type { HeadsFile } from "@/model/heads_file.ts";
import {
  embeddingName,
  HIDDEN_STATES,
  logitsName,
  SENTENCE_EMBEDDING,
} from "@/model/onnx_names.ts";
import type { ModelTask } from "@/model/multi_task.ts";

/** Row-major values of each output, by output name. */
type GraphOutputs = ReadonlyMap<string, Float32Array>;

/** Computes all outputs of a graph for the token ids [T] of one text. */
export type RunGraph = (ids: Int32Array) => Promise<GraphOutputs>;

/** Pooling and normalization of an embedding. */
type EmbeddingChoice = {
  readonly pooling: PoolingMode;
  readonly normalize: NormalizeMode;
  /** Position of the first token that is pooled. */
  readonly poolingStart: number;
};

/** Settings of the graph's own sentence embedding. */
type GraphSettings = EmbeddingChoice & Pick<HeadsFile, "embeddingSize">;

/** Values of the output `name`. */
function take(outputs: GraphOutputs, name: string): Float32Array {
  const values = outputs.get(name);
  if (values === undefined) throw new TypeError(`internal: the graph has no output ${name}`);
  return values;
}

/** Creates a predictor for one task from a graph. */
export function createGraphPredictor(
  runGraph: RunGraph,
  { name, labels }: ModelTask,
): Predictor {
  return {
    labels,
    async predict(examples, onPredicted = () => {}) {
      const found: Float32Array[] = [];
      for (const { ids } of examples) {
        const scores = take(await runGraph(ids), logitsName(name)).slice(); // [C] or [T, C]
        softmaxRowsInto(scores, labels.length);
        found.push(scores);
        onPredicted(found.length, examples.length);
      }
      return found;
    },
  };
}

/** Creates a predictor for raw texts from a graph, which runs once for all tasks with the same tokens. */
export function createGraphTextPredictor(
  runGraph: RunGraph,
  { tasks, ...options }: TextInputOptions & { readonly tasks: readonly ModelTask[] },
): TextPredictor {
  return {
    predict(texts) {
      const known = new Map<string, Promise<GraphOutputs>>();
      const runOnce: RunGraph = (ids) => {
        const key = ids.join(" ");
        const outputs = known.get(key) ?? runGraph(ids);
        known.set(key, outputs);
        return outputs;
      };
      const readers = tasks.map((task) => ({
        task,
        predictor: createGraphPredictor(runOnce, task),
      }));
      return combinePredictors(readers, options).predict(texts);
    },
  };
}

/** Poolings available from a graph. A projection layer and a pooler can only be applied inside the graph. */
export function graphPoolings(
  { pooling, embeddingSize }: Pick<GraphSettings, "pooling" | "embeddingSize">,
): readonly PoolingMode[] {
  return POOLING_MODES.filter((mode) =>
    mode === pooling || (mode !== "cls" && embeddingSize === null)
  );
}

/** Pools the hidden states [T, D] of a text without padding into one vector [D]. */
function poolStates(
  states: Float32Array,
  { tokens, pooling, poolingStart }: {
    readonly tokens: number;
    readonly pooling: Exclude<PoolingMode, "cls">;
    readonly poolingStart: number;
  },
): Float32Array {
  const size = states.length / tokens;
  const isEmpty = poolingStart >= tokens; // same fallback as in the engine: [CLS] or zeros
  if (isEmpty && pooling !== "cls-token") return new Float32Array(size);
  const start = isEmpty ? 0 : poolingStart;
  const pooled = states.slice(start * size, (start + 1) * size);
  const others = states.subarray((start + 1) * size);
  switch (pooling) {
    case "cls-token":
      return pooled;
    case "mean":
      others.forEach((value, i) => {
        pooled[i % size] = (pooled[i % size] ?? NaN) + value;
      });
      return pooled.map((sum) => sum / (tokens - start));
    case "max":
      others.forEach((value, i) => {
        pooled[i % size] = Math.max(pooled[i % size] ?? NaN, value);
      });
      return pooled;
    default:
      return assertNever(pooling, "pooling mode");
  }
}

/** Throws if the graph's outputs do not suffice for the choice. */
export function checkGraphChoice(settings: GraphSettings, choice: EmbeddingChoice): void {
  const { pooling, normalize } = choice;
  const poolings = graphPoolings(settings);
  if (!poolings.includes(pooling)) {
    throw new RangeError(
      `Cannot encode with pooling "${pooling}": the exported graph has no output for it; choose ${
        poolings.join(", ")
      }`,
    );
  }
  if (choice.poolingStart !== settings.poolingStart) {
    if (settings.embeddingSize === null && pooling !== "cls") return;
    throw new RangeError(
      "Cannot encode with a prompt other than the model's own: pooling skips the prompt " +
        '("include_prompt" is false), and the number of tokens to skip is fixed in the exported graph; ' +
        "use the model's weights instead",
    );
  }
  const isScaled = settings.pooling === pooling && settings.normalize !== "none";
  if (
    normalize === "none" && isScaled && (settings.embeddingSize !== null || pooling === "cls")
  ) {
    throw new RangeError(
      `Cannot encode with normalization "none": the exported graph outputs this model's embeddings only after ` +
        `${settings.normalize.toUpperCase()} normalization; choose l1 or l2`,
    );
  }
}

/** Embedding [E] of a text of `tokens` tokens. The choice must have passed {@link checkGraphChoice}. */
export function readEmbedding(
  outputs: GraphOutputs,
  { tokens, settings, pooling, normalize, poolingStart }: EmbeddingChoice & {
    readonly tokens: number;
    readonly settings: GraphSettings;
  },
): Float32Array {
  const ofPooling = outputs.get(embeddingName(pooling));
  if (ofPooling !== undefined) return normalizeVector(ofPooling, normalize);
  const isOwn = pooling === settings.pooling && poolingStart === settings.poolingStart;
  if (isOwn && (normalize === settings.normalize)) return take(outputs, SENTENCE_EMBEDDING);
  // normalizing an already normalized vector again loses nothing
  if (isOwn && (settings.normalize === "none" || normalize !== "none")) {
    return normalizeVector(take(outputs, SENTENCE_EMBEDDING), normalize);
  }
  if (pooling === "cls") throw new TypeError('internal: pooling "cls" needs the pooler\'s weights');
  return normalizeVector(
    poolStates(take(outputs, HIDDEN_STATES), { tokens, pooling, poolingStart }),
    normalize,
  );
}
