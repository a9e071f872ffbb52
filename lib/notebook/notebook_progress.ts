/**
 * Progress in a notebook: one display that changes in place, a line for each kind of work.
 * @module
 */

import { findJupyter } from "@/interrupt.ts";
import {
  completeProgress,
  createRateMeter,
  drawBar,
  type Progress,
  progressFigures,
  type ProgressView,
  type RateMeter,
} from "@/progress.ts";
import { escapeHtml, type Shown } from "./displayable.ts";

/** Shows something under an id, or changes what is shown there. */
export type Display = (shown: Shown, id: string, update: boolean) => Promise<void>;

/** How a view shows itself; the defaults are the kernel and the process's clock. */
export type NotebookProgressOptions = {
  readonly display?: Display;
  readonly nowMs?: () => number;
  /** Milliseconds between two changes of the display. */
  readonly redrawMs?: number;
};

let views = 0;

/**
 * A view in the output of the running cell. What stays when it is finished holds no time and no speed,
 * so the same run leaves the same notebook. Await `finish()`, or the kernel may lose the last state.
 */
export function createNotebookProgress(options: NotebookProgressOptions = {}): ProgressView {
  const {
    display = displayInKernel,
    nowMs = () => performance.now(),
    redrawMs = 200,
  } = options;
  const id = `progress-${++views}`;
  const works = new Map<string, { meter: RateMeter; state: Progress }>();
  let shownMs = -Infinity;
  let shown = false;
  let last: Promise<void> = Promise.resolve();
  let failure: unknown = null;

  const show = (final: boolean) => {
    const lines = [...works.values()].map(({ state }) => formatState(state, final));
    const bundle = toBundle(lines);
    const update = shown;
    shown = true;
    // one after another, as changes may not overtake each other
    last = last.then(() => display(bundle, id, update)).catch((error) => {
      failure ??= error;
    });
  };
  return {
    update(progress) {
      const now = nowMs();
      const known = works.get(progress.label);
      const meter = known?.meter ?? createRateMeter();
      works.set(progress.label, {
        meter,
        state: completeProgress(progress, meter.update(progress.done, now)),
      });
      if (known && progress.done < progress.total && now - shownMs < redrawMs) return;
      shownMs = now;
      show(false);
    },
    async finish() {
      if (works.size > 0) show(true);
      await last;
      if (failure !== null) throw failure;
    },
  };
}

type Line = { readonly label: string; readonly bar: string; readonly figures: string };

function formatState(state: Progress, final: boolean): Line {
  const { label, done, total } = state;
  const figures = final ? [`${done}/${total}`] : progressFigures(state);
  return { label, bar: drawBar(done, total, 24), figures: figures.join("  ") };
}

function toBundle(lines: readonly Line[]): Shown {
  const width = Math.max(...lines.map(({ label }) => label.length));
  const text = lines.map(({ label, bar, figures }) => `${label.padEnd(width)} ${bar} ${figures}`);
  const joined = text.join("\n");
  return { "text/plain": joined, "text/html": `<pre>${escapeHtml(joined)}</pre>` };
}

async function displayInKernel(shown: Shown, id: string, update: boolean): Promise<void> {
  const jupyter = findJupyter();
  if (jupyter === null) {
    throw new Error("Cannot show progress in a notebook as the code must run in a Jupyter kernel");
  }
  await jupyter.display(shown, { raw: true, display_id: id, update });
}
