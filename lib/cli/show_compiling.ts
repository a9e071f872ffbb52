/**
 * Adds compilations to a progress view.
 * @module
 */
import { onCompile } from "@/engine/jit.ts";
import type { Progress, ProgressView } from "@/progress.ts";

/** Wraps `view`, which then shows the program being compiled next to the latest progress. */
export function showCompiling(view: ProgressView): ProgressView {
  let last: Progress | null = null;
  onCompile((name) => {
    if (last === null || last.done >= last.total) return; // that work has ended
    view.update({ ...last, details: [`compiling ${name}`] });
  });
  return {
    update(progress) {
      last = progress;
      view.update(progress);
    },
    finish: () => view.finish(),
  };
}
