/**
 * A saved model as a service: texts of all requests together, a batch at a time.
 * @module
 */
import { type NormalizeMode, POOLING_MODES, type PoolingMode } from "@/config.ts";
import { createSentenceEncoder, type SentenceEncoder } from "@/eval/encode_texts.ts";
import { normalizeVector } from "@/eval/normalize_vector.ts";
import type { SavedModel } from "@/eval/open_saved_model.ts";
import { createTextPredictor } from "@/eval/predict_texts.ts";
import type { TextPrediction } from "@/eval/read_texts.ts";
import { LIMITS } from "./limits.ts";
import { createBatcher } from "./batcher.ts";
import type { ModelInfo } from "./contract.ts";
import type { ModelFacts } from "./open_demo_run.ts";
import { createWaitingRoom, type WaitingRoom } from "./waiting_room.ts";

/** How texts are to be encoded. */
export type EncodeChoice = {
  readonly pooling: PoolingMode;
  readonly normalize: NormalizeMode;
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

/** Poolings that a model can be asked for. */
export function offeredPoolings({ model }: SavedModel): readonly PoolingMode[] {
  return POOLING_MODES.filter((mode) => mode !== "cls" || model.encoder.pooler !== null);
}

/** What the page must know of a saved model. */
export function describeModel(saved: SavedModel, facts: ModelFacts): ModelInfo {
  const { model: { tasks, pooling, normalize }, maxLength } = saved;
  return {
    ...facts,
    tasks: tasks.map(({ name, kind, labels }) => ({ name, kind, labels })),
    pooling,
    normalize,
    poolings: offeredPoolings(saved),
    maxLength,
  };
}

/** A room for the texts of all models of one engine. */
export function createServiceRoom(): WaitingRoom {
  return createWaitingRoom({
    maxTexts: LIMITS.waiting,
    maxCharacters: LIMITS.waitingCharacters,
  });
}

/** A service over a saved model, which stays the caller's; services of one engine share `room`. */
export function createModelService(
  { saved, facts }: { readonly saved: SavedModel; readonly facts: ModelFacts },
  room: WaitingRoom,
): ModelService {
  const predictorOf = remember((rows: number) => createTextPredictor(saved, { rows }));
  const encoderOf = remember((key: string): SentenceEncoder => {
    const pooling = offeredPoolings(saved).find((mode) => key.startsWith(`${mode}/`));
    const rows = Number(key.split("/")[1]);
    return createSentenceEncoder(saved, { pooling, normalize: "none", rows });
  });
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
  const encodingOf = remember((pooling: PoolingMode) =>
    createBatcher<string, Float32Array>({
      ...shared,
      run: (texts) => encoderOf(`${pooling}/${rowsFor(texts.length)}`).encode(texts),
    })
  );
  return {
    info: describeModel(saved, facts),
    predict: (texts, signal) => predicting.submit(texts, signal),
    encode: async (texts, { pooling, normalize }, signal) => {
      const vectors = await encodingOf(pooling).submit(texts, signal);
      return vectors.map((vector) => normalizeVector(vector, normalize));
    },
  };
}
