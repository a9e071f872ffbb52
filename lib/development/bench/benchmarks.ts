/**
 * Table of the benchmarks, and the cases of each.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import type { RunConfig } from "@/config/config.ts";
import type { BatchShape, ModelShape, StepJob, Work } from "./job.ts";
import type { EpochShape } from "./measure_epoch.ts";
import { OPERATIONS } from "./operations.ts";
import { TORCH_VARIANTS, type TorchVariant } from "./runners.ts";

/** Description of each benchmark, for `--help` and the tables. */
export const BENCHMARKS = {
  "step-mini": "a training step, 6 layers of 384, two tasks of 32×64",
  "step-base": "a training step, 12 layers of 768, two tasks of 16×64",
  encode: "sentence embeddings of 2,000 texts, tokenizing included",
  epoch: "the first steps of a real run, in length buckets and padded",
  ops: "single operations",
} as const;
/** Name of a benchmark. */
export type BenchName = keyof typeof BENCHMARKS;

/** One row of results; for `ops`, one set of rows. */
export type Case = {
  readonly name: BenchName;
  /** Sizes and counts, as text. */
  readonly shape: string;
  readonly ours: Work;
  /** Same work without dropout, to measure the cost of dropout; null if not measured. */
  readonly withoutDropout: Work | null;
  /** Equivalent work for PyTorch. */
  readonly torch: Work;
  readonly variants: readonly TorchVariant[];
  /** Processes per runner; the runners alternate. */
  readonly rounds: number;
};

/** Amount of measurements; null for the default of the benchmark. */
export type Effort = {
  /** Processes per runner; the runners alternate. */
  readonly rounds: number | null;
  /** Measured steps, passes or runs per process. */
  readonly steps: number | null;
  /** If true, training steps are also profiled. */
  readonly profile: boolean;
};

/** Inputs of the benchmarks, created on demand. */
export type BenchInputs = {
  /** Path of a model folder and of a file of texts. */
  encode(): Promise<{ readonly model: string; readonly texts: string }>;
  /** Configuration of a real run and the shapes of its first batches. */
  epoch(
    steps: number,
    lengths: "buckets" | "padded",
  ): Promise<{ readonly config: RunConfig; readonly shape: EpochShape }>;
};

/** The shape of all-MiniLM-L6-v2. */
const MINI: ModelShape = {
  hiddenSize: 384,
  layers: 6,
  attentionHeads: 12,
  intermediateSize: 1536,
};
const BASE: ModelShape = {
  hiddenSize: 768,
  layers: 12,
  attentionHeads: 12,
  intermediateSize: 3072,
};

/** Texts of `encode`, in batches of `rows`. */
const ENCODE = { count: 2000, rows: 64, maxLength: 128 } as const;

/** Fraction of steps for the padded case, where all steps cost the same, so that a few suffice. */
const PADDED_SHARE = 0.1;

function stepCase(
  name: "step-mini" | "step-base",
  { model, rows, length }: { model: ModelShape; rows: number; length: number },
  { rounds, steps, profile }: {
    readonly rounds: number;
    readonly steps: number;
    readonly profile: boolean;
  },
): Case {
  const batch: BatchShape = { rows, length, tokens: rows * length };
  const work: StepJob = {
    kind: "step",
    model,
    dropout: 0.1,
    warmup: 2,
    steps: Array.from({ length: steps }, () => [batch, batch]),
    profile: false,
  };
  return {
    name,
    shape: `2x${rows}x${length}`,
    ours: { ...work, profile },
    withoutDropout: { ...work, dropout: 0 },
    torch: work,
    variants: TORCH_VARIANTS,
    rounds,
  };
}

/** The cases of a benchmark. */
export async function makeCases(
  name: BenchName,
  { rounds, steps, profile }: Effort,
  inputs: BenchInputs,
): Promise<readonly Case[]> {
  switch (name) {
    case "step-mini": {
      const effort = { rounds: rounds ?? 4, steps: steps ?? 6, profile };
      return [stepCase(name, { model: MINI, rows: 32, length: 64 }, effort)];
    }
    case "step-base": {
      const effort = { rounds: rounds ?? 3, steps: steps ?? 4, profile };
      return [stepCase(name, { model: BASE, rows: 16, length: 64 }, effort)];
    }
    case "encode": {
      const work: Work = {
        kind: "encode",
        ...await inputs.encode(),
        ...ENCODE,
        passes: steps ?? 2,
      };
      return [{
        name,
        shape: `${ENCODE.count} texts, batches of ${ENCODE.rows}`,
        ours: work,
        withoutDropout: null,
        torch: work,
        variants: TORCH_VARIANTS,
        rounds: rounds ?? 3,
      }];
    }
    case "epoch": {
      const bucketed = steps ?? 200;
      const padded = Math.max(2, Math.round(bucketed * PADDED_SHARE));
      return [
        await epochCase("buckets", bucketed, { rounds, inputs }),
        await epochCase("padded", padded, { rounds, inputs }),
      ];
    }
    case "ops": {
      const work: Work = { kind: "operations", operations: OPERATIONS, runs: steps ?? 20 };
      return [{
        name,
        shape: "",
        ours: work,
        withoutDropout: null,
        torch: work,
        variants: ["eager"], // a single operation leaves the compiler nothing to fuse
        rounds: rounds ?? 3,
      }];
    }
    default:
      return assertNever(name, "benchmark");
  }
}

async function epochCase(
  lengths: "buckets" | "padded",
  steps: number,
  { rounds, inputs }: { readonly rounds: number | null; readonly inputs: BenchInputs },
): Promise<Case> {
  const { config, shape } = await inputs.epoch(steps, lengths);
  const { maxLength, dropout } = config.model;
  const paddedTokens = shape.steps.flat().reduce(
    (sum, batch) => sum + batch.rows * batch.length,
    0,
  );
  return {
    name: "epoch",
    shape: `${steps} steps, ${lengths === "buckets" ? "buckets" : `padded to ${maxLength}`}`,
    ours: { kind: "epoch", config, steps, paddedTokens },
    withoutDropout: null,
    torch: { kind: "step", ...shape, dropout: dropout.hidden, warmup: 1, profile: false },
    variants: ["eager"], // torch.compile would compile every shape anew
    rounds: rounds ?? 1,
  };
}
