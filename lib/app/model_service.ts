/**
 * Serves a model: texts of concurrent requests are computed together in batches.
 * @module
 */
import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import type { EncodeTextsOptions } from "@/eval/encode_texts.ts";
import { normalizeVector } from "@/eval/embedding_similarity.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import type { TextModel } from "@/eval/text_model.ts";
import { LIMITS, type ModelInfo } from "./contract.ts";
import { createBatcher } from "./batcher.ts";
import type { ModelFacts } from "./open_demo_run.ts";
import { createEngineQueue, type EngineQueue } from "./engine_queue.ts";

/** Settings for encoding. */
export type EncodeChoice = {
  readonly pooling: PoolingMode;
  readonly normalize: NormalizeMode;
  /** Name of one of the model's prompts; null for no prompt. */
  readonly promptName: string | null;
};

/** Operations that the page and the API need from a model. */
export type ModelService = {
  readonly info: ModelInfo;
  predict(texts: readonly string[], signal?: AbortSignal): Promise<readonly TextPrediction[]>;
  encode(
    texts: readonly string[],
    choice: EncodeChoice,
    signal?: AbortSignal,
  ): Promise<readonly Float32Array[]>;
};

/** Batch sizes in rows: a single text is not padded to sixteen rows, and many texts are not computed one by one. */
const BATCH_ROWS = [1, 4, 16] as const;

const MAX_ROWS = 16;
const WAIT_MS = 3; // time to collect further texts; short compared with the computation of a batch

/** Smallest batch size that holds `count` texts. */
function rowsFor(count: number): number {
  return BATCH_ROWS.find((rows) => rows >= count) ?? MAX_ROWS;
}

/** Memoizes `make` by key. */
function memoize<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const found = known.get(key) ?? make(key);
    known.set(key, found);
    return found;
  };
}

/** Describes a model for the page and the API. */
export function describeModel(
  { settings, poolings }: Pick<TextModel, "settings" | "poolings">,
  facts: ModelFacts,
): ModelInfo {
  const { tasks, pooling, normalize, maxLength, prompts } = settings;
  return {
    ...facts,
    tasks: tasks.map(({ name, kind, labels }) => ({ name, kind, labels })),
    pooling,
    normalize,
    poolings,
    maxLength,
    ...prompts,
  };
}

/** Creates the queue that all models of one engine share. */
export function createServiceQueue(): EngineQueue {
  return createEngineQueue({
    maxTexts: LIMITS.waiting,
    maxCharacters: LIMITS.waitingCharacters,
  });
}

/** Creates a service for a model. The caller keeps ownership of the model; services of one engine share a queue. */
export function createModelService(
  { model, facts }: { readonly model: TextModel; readonly facts: ModelFacts },
  engineQueue: EngineQueue,
): ModelService {
  const predictorOf = memoize((rows: number) => model.createPredictor({ rows }));
  const shared = {
    sizeOf: (text: string) => text.length,
    maxItems: MAX_ROWS,
    maxSize: LIMITS.batchCharacters,
    waitMs: WAIT_MS,
    engineQueue,
  };
  const predicting = createBatcher<string, TextPrediction>({
    ...shared,
    run: (texts) => predictorOf(rowsFor(texts.length)).predict(texts),
  });
  /** Creates the batcher for one combination of encoding options. */
  const createEncoding = (options: EncodeTextsOptions) => {
    const encoderOf = memoize((rows: number) => model.createEncoder({ ...options, rows }));
    return createBatcher<string, Float32Array>({
      ...shared,
      run: (texts) => encoderOf(rowsFor(texts.length)).encode(texts),
    });
  };
  const encodingsOf = memoize((mode: PoolingMode | "trained") =>
    memoize((promptName: string | null) =>
      createEncoding({
        ...(promptName === null ? { prompt: "" } : { promptName }),
        ...(mode !== "trained" && { pooling: mode, normalize: "none" }),
      })
    )
  );
  const info = describeModel(model, facts);
  return {
    info,
    predict: (texts, signal) => predicting.submit(texts, signal),
    encode: async (texts, { pooling, normalize, promptName }, signal) => {
      // an exported graph may only contain the embedding that the model was trained with
      if (pooling === info.pooling && normalize === info.normalize) {
        return await encodingsOf("trained")(promptName).submit(texts, signal);
      }
      const vectors = await encodingsOf(pooling)(promptName).submit(texts, signal);
      return vectors.map((vector) => normalizeVector(vector, normalize));
    },
  };
}
