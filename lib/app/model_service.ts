/**
 * A model as a service: texts of all requests together, a batch at a time.
 * @module
 */
import type { NormalizeMode, PoolingMode } from "@/config.ts";
import type { EncodeTextsOptions } from "@/eval/encode_texts.ts";
import { normalizeVector } from "@/eval/normalize_vector.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import type { TextModel } from "@/eval/text_model.ts";
import { LIMITS } from "./limits.ts";
import { createBatcher } from "./batcher.ts";
import type { ModelInfo } from "./contract.ts";
import type { ModelFacts } from "./open_demo_run.ts";
import { createWaitingRoom, type WaitingRoom } from "./waiting_room.ts";

/** How texts are to be encoded. */
export type EncodeChoice = {
  readonly pooling: PoolingMode;
  readonly normalize: NormalizeMode;
  /** One of the model's prompts; null: none. */
  readonly promptName: string | null;
};

/** What the page and the API ask of a model. */
export type ModelService = {
  readonly info: ModelInfo;
  predict(texts: readonly string[], signal?: AbortSignal): Promise<readonly TextPrediction[]>;
  encode(
    texts: readonly string[],
    choice: EncodeChoice,
    signal?: AbortSignal,
  ): Promise<readonly Float32Array[]>;
};

/** Rows of batches: a text alone is not padded to sixteen, and a crowd is not computed one by one. */
const BATCH_ROWS = [1, 4, 16] as const;

const MAX_ROWS = 16;
const WAIT_MS = 3; // for texts to come together; small beside a batch of them

/** The smallest batch that holds `count` texts. */
function rowsFor(count: number): number {
  return BATCH_ROWS.find((rows) => rows >= count) ?? MAX_ROWS;
}

/** A value for each key, made when it is first asked for. */
function remember<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const found = known.get(key) ?? make(key);
    known.set(key, found);
    return found;
  };
}

/** What the page must know of a model. */
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

/** A room for the texts of all models of one engine. */
export function createServiceRoom(): WaitingRoom {
  return createWaitingRoom({
    maxTexts: LIMITS.waiting,
    maxCharacters: LIMITS.waitingCharacters,
  });
}

/** A service over a model, which stays the caller's; services of one engine share `room`. */
export function createModelService(
  { model, facts }: { readonly model: TextModel; readonly facts: ModelFacts },
  room: WaitingRoom,
): ModelService {
  const predictorOf = remember((rows: number) => model.createPredictor({ rows }));
  const shared = {
    sizeOf: (text: string) => text.length,
    maxItems: MAX_ROWS,
    maxSize: LIMITS.batchCharacters,
    waitMs: WAIT_MS,
    room,
  };
  const predicting = createBatcher<string, TextPrediction>({
    ...shared,
    run: (texts) => predictorOf(rowsFor(texts.length)).predict(texts),
  });
  /** Encodes in one way: a batcher of its own for each. */
  const createEncoding = (options: EncodeTextsOptions) => {
    const encoderOf = remember((rows: number) => model.createEncoder({ ...options, rows }));
    return createBatcher<string, Float32Array>({
      ...shared,
      run: (texts) => encoderOf(rowsFor(texts.length)).encode(texts),
    });
  };
  const encodingsOf = remember((mode: PoolingMode | "trained") =>
    remember((promptName: string | null) =>
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
      // a graph may hold no embedding but the one that the model was trained for
      if (pooling === info.pooling && normalize === info.normalize) {
        return await encodingsOf("trained")(promptName).submit(texts, signal);
      }
      const vectors = await encodingsOf(pooling)(promptName).submit(texts, signal);
      return vectors.map((vector) => normalizeVector(vector, normalize));
    },
  };
}
