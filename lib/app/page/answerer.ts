/**
 * Who answers the page: a server, or the page itself.
 * @module
 */
import type { NormalizeMode, PoolingMode } from "@/config.ts";
import type { EncodeAnswer, Health, PredictAnswer } from "@/app/contract.ts";

/** How sentences are to be encoded; null: as the model was trained. */
export type EncodeWish = {
  readonly pooling: PoolingMode | null;
  readonly normalize: NormalizeMode | null;
};

/** What the page asks; each answer may be given up by `signal`. */
export type Answerer = {
  health(): Promise<Health>;
  predict(texts: readonly string[], signal: AbortSignal): Promise<PredictAnswer>;
  encode(texts: readonly string[], wish: EncodeWish, signal: AbortSignal): Promise<EncodeAnswer>;
};
