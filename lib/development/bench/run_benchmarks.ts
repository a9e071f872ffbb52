/**
 * Runs benchmarks one after the other, each at every requested precision.
 * @module
 */
import { type BenchInputs, type BenchName, type Effort, makeCases } from "./benchmarks.ts";
import type { Torch } from "./runners.ts";
import type { Computation } from "./job.ts";
import { runCase } from "./run_case.ts";
import type { BenchResult } from "./summarize.ts";
import { type Precision, PRECISIONS } from "@/engine/options.ts";
import type { ProgressView } from "@/progress.ts";

/** Options of {@link runBenchmarks}. */
export type BenchRun = {
  readonly names: readonly BenchName[];
  readonly effort: Effort;
  readonly inputs: BenchInputs;
  readonly computation: Omit<Computation, "precision">;
  /** Alternative settings, measured beside the main ones. */
  readonly variants: readonly { name: string; computation: Omit<Computation, "precision"> }[];
  /** Null for {@link USUAL_PRECISIONS}, as far as the executor supports them. */
  readonly precision: Precision | null;
  /** Null to skip PyTorch. */
  readonly torch: Torch | null;
  readonly view: ProgressView;
  readonly onNote: (note: string) => void;
  /** Called with each result. */
  readonly onResult: (result: BenchResult) => void;
};

/** Precisions measured by default: those that current processors compute with. */
export const USUAL_PRECISIONS: readonly Precision[] = PRECISIONS.filter((precision) =>
  precision !== "mixed-float16"
);

/** Runs all benchmarks and returns all results. */
export async function runBenchmarks(run: BenchRun): Promise<readonly BenchResult[]> {
  const { names, effort, inputs, variants, torch, view, onNote, onResult } = run;
  const results: BenchResult[] = [];
  for (const name of names) {
    for (const each of await makeCases(name, effort, inputs)) {
      for (const precision of run.precision === null ? USUAL_PRECISIONS : [run.precision]) {
        const found = await runCase(each, {
          computation: { ...run.computation, precision },
          variants: variants.map(({ name, computation }) => (
            { name, computation: { ...computation, precision } }
          )),
          torch,
          onTurn: ({ runner, done, total }) =>
            view.update({
              label: `${name} ${precision}`,
              done,
              total,
              details: runner === "" ? [] : [runner],
            }),
          onNote,
        });
        found.forEach(onResult);
        results.push(...found);
        // ONNX Runtime computes only in float32; other precisions would merely round, so their timings say nothing
        if (found[0]?.executor === "onnx") break;
      }
    }
  }
  return results;
}
