/**
 * Runs benchmarks, one after the other, at every precision that counts.
 * @module
 */
import { type BenchName, type Effort, makeCases, type Materials } from "@/bench/benchmarks.ts";
import type { Torch } from "@/bench/contestants.ts";
import type { Computation } from "@/bench/job.ts";
import { runCase } from "@/bench/run_case.ts";
import type { BenchResult } from "@/bench/statistics.ts";
import { type Precision, PRECISIONS } from "@/config.ts";
import type { ProgressView } from "@/progress.ts";

/** What is run and who watches. */
export type BenchRun = {
  readonly names: readonly BenchName[];
  readonly effort: Effort;
  readonly materials: Materials;
  readonly computation: Omit<Computation, "precision">;
  /** Other ways of computing the same, beside it. */
  readonly variants: readonly { name: string; computation: Omit<Computation, "precision"> }[];
  /** Null: {@link USUAL_PRECISIONS}, as far as ours computes with them. */
  readonly precision: Precision | null;
  /** Null: PyTorch is left out. */
  readonly torch: Torch | null;
  readonly view: ProgressView;
  readonly onNote: (note: string) => void;
  /** Told of each result as it is found. */
  readonly onResult: (result: BenchResult) => void;
};

/** Measured where none is asked for: those that processors of today compute with. */
export const USUAL_PRECISIONS: readonly Precision[] = PRECISIONS.filter((precision) =>
  precision !== "mixed-float16"
);

/** Runs all, and gives all results. */
export async function runBenchmarks(run: BenchRun): Promise<readonly BenchResult[]> {
  const { names, effort, materials, variants, torch, view, onNote, onResult } = run;
  const results: BenchResult[] = [];
  for (const name of names) {
    for (const each of await makeCases(name, effort, materials)) {
      for (const precision of run.precision === null ? USUAL_PRECISIONS : [run.precision]) {
        const found = await runCase(each, {
          computation: { ...run.computation, precision },
          variants: variants.map(({ name, computation }) => (
            { name, computation: { ...computation, precision } }
          )),
          torch,
          onTurn: ({ contestant, done, total }) =>
            view.update({
              label: `${name} ${precision}`,
              done,
              total,
              details: contestant === "" ? [] : [contestant],
            }),
          onNote,
        });
        found.forEach(onResult);
        results.push(...found);
        // ONNX Runtime computes in float32 alone: the others would show its rounding, not a speed
        if (found[0]?.executor === "onnx") break;
      }
    }
  }
  return results;
}
