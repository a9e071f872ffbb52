/**
 * Answers of an exported graph, whoever runs it: ONNX Runtime here, or its WebAssembly in a browser.
 *
 * A text is computed alone and without padding. Eight-bit activations have one scale for a whole batch
 * (`DynamicQuantizeLinear`), so in a batch the other texts and the padding would change the answer.
 * Shapes: T tokens, D hidden, E embedding, C labels.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import { type NormalizeMode, POOLING_MODES, type PoolingMode } from "@/config.ts";
import { normalizeVector } from "@/eval/normalize_vector.ts";
import type { Predictor } from "@/eval/predict_examples.ts";
import { softmaxRowsInto } from "@/eval/probabilities.ts";
import { createTextReader, type ReadOptions, type TextPredictor } from "@/eval/read_texts.ts";
import type { HeadsFile } from "@/model/heads_file.ts";
import {
  embeddingName,
  HIDDEN_STATES,
  logitsName,
  SENTENCE_EMBEDDING,
} from "@/model/onnx_names.ts";
import type { ModelTask } from "@/model/parameters.ts";

/** Values of each output, row-major, by its name. */
export type GraphOutputs = ReadonlyMap<string, Float32Array>;

/** Computes all outputs of a graph for the tokens [T] of one text. */
export type RunGraph = (ids: Int32Array) => Promise<GraphOutputs>;

/** How an embedding is to be made. */
export type EmbeddingChoice = {
  readonly pooling: PoolingMode;
  readonly normalize: NormalizeMode;
  /** Position of the first token that is pooled. */
  readonly poolingStart: number;
};

/** How the graph's own embedding is made. */
export type GraphSettings = EmbeddingChoice & Pick<HeadsFile, "embeddingSize">;

/** The values of the output `name`. */
function take(outputs: GraphOutputs, name: string): Float32Array {
  const values = outputs.get(name);
  if (values === undefined) throw new TypeError(`internal: the graph gives no output ${name}`);
  return values;
}

/** A predictor for one task over a graph. */
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

/** A reader of raw texts over a graph, which runs once where tasks share a text's tokens. */
export function createGraphReader(
  runGraph: RunGraph,
  { tasks, ...options }: ReadOptions & { readonly tasks: readonly ModelTask[] },
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
      return createTextReader(readers, options).predict(texts);
    },
  };
}

/** Poolings that a graph's embeddings can be asked for: a projection and a pooler are inside the graph. */
export function graphPoolings(
  { pooling, embeddingSize }: Pick<GraphSettings, "pooling" | "embeddingSize">,
): readonly PoolingMode[] {
  return POOLING_MODES.filter((mode) =>
    mode === pooling || (mode !== "cls" && embeddingSize === null)
  );
}

/** [D] the hidden states [T, D] of a text without padding as one vector. */
function poolStates(
  states: Float32Array,
  { tokens, pooling, poolingStart }: {
    readonly tokens: number;
    readonly pooling: Exclude<PoolingMode, "cls">;
    readonly poolingStart: number;
  },
): Float32Array {
  const size = states.length / tokens;
  const isEmpty = poolingStart >= tokens; // as where weights are computed: [CLS] or zeros
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

/** Refuses a choice that the graph's outputs do not hold. */
export function checkGraphChoice(settings: GraphSettings, choice: EmbeddingChoice): void {
  const { pooling, normalize } = choice;
  const poolings = graphPoolings(settings);
  if (!poolings.includes(pooling)) {
    throw new RangeError(
      `Cannot encode with pooling "${pooling}" as an exported graph holds no weights for it: choose ${
        poolings.join(", ")
      }`,
    );
  }
  if (choice.poolingStart !== settings.poolingStart) {
    if (settings.embeddingSize === null && pooling !== "cls") return;
    throw new RangeError(
      "Cannot encode with another prompt than the model's own: pooling skips the prompt " +
        '("include_prompt" is false), and the exported graph holds the number of tokens that it skips; ' +
        "use the model's weights",
    );
  }
  const isScaled = settings.pooling === pooling && settings.normalize !== "none";
  if (
    normalize === "none" && isScaled && (settings.embeddingSize !== null || pooling === "cls")
  ) {
    throw new RangeError(
      `Cannot encode with normalization "none" as the graph gives this model's embeddings only after ` +
        `${settings.normalize.toUpperCase()} normalization: choose l1 or l2`,
    );
  }
}

/** [E] the embedding of a text of `tokens` tokens; the choice has passed {@link checkGraphChoice}. */
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
  // a vector that was scaled to length one and is scaled again has lost nothing
  if (isOwn && (settings.normalize === "none" || normalize !== "none")) {
    return normalizeVector(take(outputs, SENTENCE_EMBEDDING), normalize);
  }
  if (pooling === "cls") throw new TypeError('internal: pooling "cls" needs the pooler\'s weights');
  return normalizeVector(
    poolStates(take(outputs, HIDDEN_STATES), { tokens, pooling, poolingStart }),
    normalize,
  );
}
