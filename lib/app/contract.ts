/**
 * What page and server say to each other, as types; `openapi.ts` says the same to others.
 * @module
 */
import type { NormalizeMode, PoolingMode, TaskKind } from "@/config.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import type { PromptSettings } from "@/text/prompts.ts";

/** What the page must know of a model. */
export type ModelInfo = PromptSettings & {
  /** The run's name. */
  readonly run: string;
  readonly tasks: readonly {
    readonly name: string;
    readonly kind: TaskKind;
    readonly labels: readonly string[];
  }[];
  /** As the model was trained. */
  readonly pooling: PoolingMode;
  readonly normalize: NormalizeMode;
  /** Poolings that it can be asked for. */
  readonly poolings: readonly PoolingMode[];
  /** Longest input in tokens. */
  readonly maxLength: number;
  /** Texts to try: rows of the run's test split, or texts written for the page where those may not be shown. */
  readonly examples: readonly string[];
  /** True if the model was trained on the built-in sample, whose sentences are generated. */
  readonly trainedOnSample: boolean;
};

/** Answer to `/api/runs`. */
export type RunsAnswer = {
  /** Names of the runs that can be asked for; the first one answers where a request names none. */
  readonly runs: readonly string[];
};

/** State of the server's preparation. */
export type Health =
  | { readonly status: "ready"; readonly model: ModelInfo }
  | {
    readonly status: "starting";
    /** What is being done, such as `train`. */
    readonly label: string;
    readonly done: number;
    readonly total: number;
  }
  | { readonly status: "failed"; readonly message: string };

/** Answer to `/api/predict`. */
export type PredictAnswer = {
  readonly predictions: readonly TextPrediction[];
  /** From the request's arrival to its answer. */
  readonly tookMs: number;
};

/** Answer to `/api/encode`. */
export type EncodeAnswer = {
  readonly pooling: PoolingMode;
  readonly normalize: NormalizeMode;
  /** The prompt that began each text; null: none. */
  readonly promptName: string | null;
  readonly embeddings: readonly (readonly number[])[];
  readonly tookMs: number;
};

/** Codes of refusals, for programs. */
export const ERROR_CODES = [
  "bad_request",
  "wrong_host",
  "not_found",
  "method_not_allowed",
  "too_large",
  "not_json",
  "unsupported_encoding",
  "overloaded",
  "not_ready",
  "timed_out",
  "internal",
] as const;

/** Answer to a request that is refused. */
export type ErrorAnswer = {
  readonly error: {
    readonly code: typeof ERROR_CODES[number];
    /** A sentence for people. */
    readonly message: string;
  };
};
