/**
 * Progress that also tells what is being compiled meanwhile.
 * @module
 */
import { onCompile } from "@/engine/jit.ts";
import type { Progress, ProgressView } from "@/progress.ts";

/** Shows in `view` what is being compiled, where the last progress was. */
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
