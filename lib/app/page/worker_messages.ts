/**
 * Messages between the static page and the worker that runs the model.
 * @module
 */
import type { EncodeAnswer, Health, PredictAnswer } from "@/app/contract.ts";
import type { EncodeOptions } from "./model_client.ts";

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
