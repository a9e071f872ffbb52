/**
 * What one process measures. Ours and PyTorch's program (`torch_bench.py`) read the same jobs as JSON
 * on stdin and print the same outcome as their last line, so that both do the same work.
 * @module
 */
import { isObject } from "@/config_rules.ts";
import type { Device, Executor, Precision, RunConfig } from "@/config.ts";
import type { Limits } from "@/bench/measure_limits.ts";
import type { OperationSpec } from "@/bench/operations.ts";
import type { StepProfile } from "@/bench/step_profile.ts";

/** The encoder of a step: BERT's names for its sizes. */
export type ModelShape = {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly attentionHeads: number;
  readonly intermediateSize: number;
};

/** B rows of T pieces, of which `tokens` are real. */
export type BatchShape = {
  readonly rows: number;
  readonly length: number;
  readonly tokens: number;
};

/** Training steps on random tokens: a batch of a classification and one of a tagging each. */
export type StepJob = {
  readonly kind: "step";
  readonly model: ModelShape;
  /** Rate of every dropout. */
  readonly dropout: number;
  /** Steps that are not counted. */
  readonly warmup: number;
  /** The batches of each counted step; the first step's serve the warm-up. */
  readonly steps: readonly (readonly BatchShape[])[];
  /** Ours also tells what its time went to; the executor must be native. */
  readonly profile: boolean;
};

/** Sentence embeddings of the lines of a file, in length order, tokenizing included. */
export type EncodeJob = {
  readonly kind: "encode";
  /** A model folder. */
  readonly model: string;
  /** A file of texts, one a line. */
  readonly texts: string;
  /** How many of its lines are encoded, from the first on, over again where there are fewer. */
  readonly count: number;
  readonly rows: number;
  readonly maxLength: number;
  /** Passes over the texts that are counted, after one that is not. */
  readonly passes: number;
};

/** The first steps of a real run; ours alone, PyTorch does a {@link StepJob} of the same shapes. */
export type EpochJob = {
  readonly kind: "epoch";
  readonly config: RunConfig;
  readonly steps: number;
  /** Pieces of all its batches, those that only pad included. */
  readonly paddedTokens: number;
};

/** Single operations, each `runs` times. */
export type OperationsJob = {
  readonly kind: "operations";
  readonly operations: readonly OperationSpec[];
  readonly runs: number;
};

/** What a contestant is given to measure. */
export type Work = StepJob | EncodeJob | EpochJob | OperationsJob;

/** How numbers are computed; PyTorch goes by precision and threads alone. */
export type Computation = {
  readonly device: Device;
  readonly precision: Precision;
  readonly threads: number;
  readonly executor: Executor;
  /** Instruction set of generated C; null: what the processor has. */
  readonly isa: string | null;
  /** Folder of the library of device `tensorflow`; null: looked for. */
  readonly library: string | null;
};

/** Work and how it is to be done. */
export type Job = { readonly work: Work; readonly computation: Computation };

/** Counted times of one kind of work. */
export type Measurement = {
  /** What distinguishes it from the others of its job; empty where it is the only one. */
  readonly label: string;
  readonly timesMs: readonly number[];
  /** Further figures by name, with the unit in the name. */
  readonly details: Readonly<Record<string, number>>;
  /** Where it was asked for. */
  readonly profile?: StepProfile;
};

/** What a process found. */
export type JobOutcome = {
  /** Executor, the library of device `tensorflow`, or `torch`. */
  readonly executor: string;
  readonly version: string;
  /** Most memory the process ever held. */
  readonly peakMiB: number;
  readonly measurements: readonly Measurement[];
  /** What the machine can do at most, beside profiles. */
  readonly limits?: Limits;
};

/** The outcome in the last line that a process printed. */
export function readOutcome(output: string): JobOutcome {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  let outcome: unknown = null;
  try {
    outcome = JSON.parse(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // told below
  }
  if (isOutcome(outcome)) return outcome;
  throw new SyntaxError(
    `Cannot read measurement as the last line must be its outcome in JSON: current line is ${
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
