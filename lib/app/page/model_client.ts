/**
 * Interface between the page and its model, which runs on a server or in a worker of the page, and the messages to and
 * from that worker.
 * @module
 */

import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import type { EncodeAnswer, Health, ModelInfo, PredictAnswer } from "@/app/contract.ts";

/** Encoding options; null for the setting that the model was trained with. */
export type EncodeOptions = {
  readonly pooling: PoolingMode | null;
  readonly normalize: NormalizeMode | null;
};

/** Run that answers, and the signal that cancels the request. */
export type RequestOptions = { readonly run: string; readonly signal: AbortSignal };

/** Requests that the page makes. */
export type ModelClient = {
  health(): Promise<Health>;
  /** Names of all runs, the default one first. */
  runs(): Promise<readonly string[]>;
  /** Describes the model of a run, which is opened first if necessary. */
  open(run: string): Promise<ModelInfo>;
  predict(texts: readonly string[], options: RequestOptions): Promise<PredictAnswer>;
  encode(texts: readonly string[], options: RequestOptions & EncodeOptions): Promise<EncodeAnswer>;
};

/** Thrown if the server is busy, so that a retry may succeed. */
export class BusyError extends Error {
  override readonly name = "BusyError";
}

/** Message from the page to the worker; `cancel` cancels the request with that id. */
export type WorkerRequest =
  | { readonly id: number; readonly type: "predict"; readonly texts: readonly string[] }
  | {
    readonly id: number;
    readonly type: "encode";
    readonly texts: readonly string[];
    readonly options: EncodeOptions;
  }
  | { readonly id: number; readonly type: "cancel" };

/** Message from the worker to the page. */
export type WorkerMessage =
  | { readonly type: "health"; readonly health: Health }
  | { readonly type: "answer"; readonly id: number; readonly answer: PredictAnswer | EncodeAnswer }
  | { readonly type: "error"; readonly id: number; readonly message: string };
