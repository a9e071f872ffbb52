/**
 * Job of one benchmark process. This project's program and PyTorch's (`torch_bench.py`) read the same jobs as
 * JSON from stdin and print an outcome of the same form as their last line, so that both do the same work.
 * @module
 */
import { isObject } from "@/schema.ts";
import type { RunConfig } from "@/config/config.ts";
import type { Device, ExecutorChoice, Isa, Precision } from "@/engine/options.ts";
import type { Limits } from "./measure_limits.ts";
import type { OperationSpec } from "./operations.ts";
import type { StepProfile } from "./step_profile.ts";

/** Sizes of an encoder, with BERT's names. */
export type ModelShape = {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly attentionHeads: number;
  readonly intermediateSize: number;
};

/** A batch of B rows of T tokens, of which `tokens` are not padding. */
export type BatchShape = {
  readonly rows: number;
  readonly length: number;
  readonly tokens: number;
};

/** Training steps on random tokens. Each step has one classification batch and one tagging batch. */
export type StepJob = {
  readonly kind: "step";
  readonly model: ModelShape;
  /** Dropout probability, the same everywhere. */
  readonly dropout: number;
  /** Number of warm-up steps, which are not measured. */
  readonly warmup: number;
  /** Batches of each measured step. Warm-up steps use those of the first step. */
  readonly steps: readonly (readonly BatchShape[])[];
  /** If true, this project's program also profiles the steps; the executor must be native. */
  readonly profile: boolean;
};

/** Sentence embeddings of the lines of a file, sorted by length, including tokenization. */
export type EncodeJob = {
  readonly kind: "encode";
  /** Path of a model folder. */
  readonly model: string;
  /** Path of a file with one text per line. */
  readonly texts: string;
  /** Number of texts to encode; the lines are repeated if the file has fewer. */
  readonly count: number;
  readonly rows: number;
  readonly maxLength: number;
  /** Number of measured passes over the texts, after one warm-up pass. */
  readonly passes: number;
};

/** First steps of a real run. PyTorch runs a {@link StepJob} with the same shapes instead. */
export type EpochJob = {
  readonly kind: "epoch";
  readonly config: RunConfig;
  readonly steps: number;
  /** Tokens of all batches, including padding. */
  readonly paddedTokens: number;
};

/** Single operations, each measured `runs` times. */
export type OperationsJob = {
  readonly kind: "operations";
  readonly operations: readonly OperationSpec[];
  readonly runs: number;
};

/** Work to measure. */
export type Work = StepJob | EncodeJob | EpochJob | OperationsJob;

/** Engine settings. PyTorch uses only precision and threads. */
export type Computation = {
  readonly device: Device;
  readonly precision: Precision;
  readonly threads: number;
  readonly executor: ExecutorChoice;
  /** Instruction set of generated C code; null for that of the processor. */
  readonly isa: Isa | null;
  /** Folder of the library for device `tensorflow`; null to search for it. */
  readonly library: string | null;
};

/** Work and the settings to run it with. */
export type Job = { readonly work: Work; readonly computation: Computation };

/** Measured times of one kind of work. */
export type Measurement = {
  /** Distinguishes the measurements of a job; empty if there is only one. */
  readonly label: string;
  readonly timesMs: readonly number[];
  /** Further values by name; the name includes the unit. */
  readonly details: Readonly<Record<string, number>>;
  /** Present if requested. */
  readonly profile?: StepProfile;
};

/** Result of a process. */
export type JobOutcome = {
  /** Name of the executor, of the library of device `tensorflow`, or `torch`. */
  readonly executor: string;
  readonly version: string;
  /** Peak resident memory of the process. */
  readonly peakMiB: number;
  readonly measurements: readonly Measurement[];
  /** Limits of the machine; present if the job has a profile. */
  readonly limits?: Limits;
};

/** Parses the outcome from the last line of a process's output. */
export function readOutcome(output: string): JobOutcome {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  let outcome: unknown = null;
  try {
    outcome = JSON.parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // reported below
  }
  if (isOutcome(outcome)) return outcome;
  throw new SyntaxError(
    `Cannot read measurement: the last line of output must be its outcome as JSON; current line is ${
      JSON.stringify(line.slice(0, 200))
    }`,
  );
}

function isOutcome(value: unknown): value is JobOutcome {
  return isObject(value) && typeof value.executor === "string" &&
    typeof value.version === "string" && typeof value.peakMiB === "number" &&
    Array.isArray(value.measurements) && value.measurements.every(isMeasurement);
}

function isMeasurement(value: unknown): value is Measurement {
  return isObject(value) && typeof value.label === "string" && isObject(value.details) &&
    Array.isArray(value.timesMs) && value.timesMs.length > 0 &&
    value.timesMs.every((ms) => typeof ms === "number");
}
