/**
 * Source of the page's answers: a server, or a worker of the page itself.
 * @module
 */
import type { NormalizeMode, PoolingMode } from "@/config.ts";
import type { EncodeAnswer, Health, ModelInfo, PredictAnswer } from "@/app/contract.ts";

/** How sentences are to be encoded; null: as the model was trained. */
export type EncodeWish = {
  readonly pooling: PoolingMode | null;
  readonly normalize: NormalizeMode | null;
};

/** Which run answers, and what gives the question up. */
export type AskOptions = { readonly run: string; readonly signal: AbortSignal };

/** What the page asks. */
export type Answerer = {
  health(): Promise<Health>;
  /** Names of all runs, the default one first. */
  runs(): Promise<readonly string[]>;
  /** The model of a run, which is opened where it is not open yet. */
  open(run: string): Promise<ModelInfo>;
  predict(texts: readonly string[], options: AskOptions): Promise<PredictAnswer>;
  encode(texts: readonly string[], options: AskOptions & EncodeWish): Promise<EncodeAnswer>;
};

/** A refusal that may be followed by an answer a moment later. */
export class BusyError extends Error {
  override readonly name = "BusyError";
}
