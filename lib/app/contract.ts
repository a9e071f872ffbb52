/**
 * Types and limits of the requests and responses between page and server. `openapi.ts` describes the same API for other
 * clients.
 * @module
 */

import type { NormalizeMode, PoolingMode, TaskKind } from "@/config/config.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import type { PromptSettings } from "@/text/prompts.ts";

/** Description of a model. */
export type ModelInfo = PromptSettings & {
  /** Name of the run. */
  readonly run: string;
  readonly tasks: readonly {
    readonly name: string;
    readonly kind: TaskKind;
    readonly labels: readonly string[];
  }[];
  /** Pooling that the model was trained with. */
  readonly pooling: PoolingMode;
  readonly normalize: NormalizeMode;
  /** Pooling modes that the model supports. */
  readonly poolings: readonly PoolingMode[];
  /** Maximum input length in tokens. */
  readonly maxLength: number;
  /**
   * Example texts: rows of the run's test split, or texts written for the page if the test split is not available
   * or may not be shown.
   */
  readonly examples: readonly string[];
  /** True if the model was trained on the built-in sample, whose sentences are generated. */
  readonly trainedOnSample: boolean;
};

/** Response of `/api/runs`. */
export type RunsAnswer = {
  /** Names of the available runs; requests that name no run are answered by the first one. */
  readonly runs: readonly string[];
};

/** State of the server's start-up. */
export type Health =
  | { readonly status: "ready"; readonly model: ModelInfo }
  | {
    readonly status: "starting";
    /** Current activity, such as `train`. */
    readonly label: string;
    readonly done: number;
    readonly total: number;
  }
  | { readonly status: "failed"; readonly message: string };

/** Response of `/api/predict`. */
export type PredictAnswer = {
  readonly predictions: readonly TextPrediction[];
  /** Milliseconds from the arrival of the request to the response. */
  readonly tookMs: number;
};

/** Response of `/api/encode`. */
export type EncodeAnswer = {
  readonly pooling: PoolingMode;
  readonly normalize: NormalizeMode;
  /** Name of the prompt that was put before each text; null if there is none. */
  readonly promptName: string | null;
  readonly embeddings: readonly (readonly number[])[];
  readonly tookMs: number;
};

/** Machine-readable error codes. */
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

/** Response to a rejected request. */
export type ErrorAnswer = {
  readonly error: {
    readonly code: typeof ERROR_CODES[number];
    /** Human-readable sentence. */
    readonly message: string;
  };
};

/*
 * Cost per character: two cores process 51.8 texts of AG News per second (README, "Served"). A text has about 240
 * characters, so this is 12,400 characters per second. Long texts cost about the same per character: the windows
 * used for entities overlap by half, but classification only reads the beginning.
 */

/**
 * Limits of a request, of the queue and of the server's shutdown. The server enforces them, the OpenAPI document states
 * them and the page shows them.
 */
export const LIMITS = {
  bodyBytes: 256 * 1024, // 32 texts of 4,000 letters, with escapes
  texts: 32, // two batches
  characters: 4_000, // per text, in UTF-16 code units: about 1,000 tokens, more than any model accepts
  batchCharacters: 16_000, // other requests wait 1.3 s at most; 4 of the longest texts, 16 of AG News
  waiting: 2_048, // pending texts; further ones are rejected at once rather than answered too late
  waitingCharacters: 250_000, // pending characters: 20 s of work, which leaves slower machines the rest of `requestMs`
  requestMs: 30_000,
  stopMs: 10_000, // grace period for running requests when the server stops
} as const;
