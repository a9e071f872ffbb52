/**
 * What the static page and its worker, which has the model, say to each other.
 * @module
 */
import type { EncodeAnswer, Health, PredictAnswer } from "@/app/contract.ts";
import type { EncodeWish } from "./answerer.ts";

/** What the page asks; `cancel` gives up the question of that number. */
export type Question =
  | { readonly id: number; readonly ask: "predict"; readonly texts: readonly string[] }
  | {
    readonly id: number;
    readonly ask: "encode";
    readonly texts: readonly string[];
    readonly wish: EncodeWish;
  }
  | { readonly id: number; readonly ask: "cancel" };

/** What the worker says. */
export type Reply =
  | { readonly say: "health"; readonly health: Health }
  | { readonly say: "answer"; readonly id: number; readonly answer: PredictAnswer | EncodeAnswer }
  | { readonly say: "error"; readonly id: number; readonly message: string };
