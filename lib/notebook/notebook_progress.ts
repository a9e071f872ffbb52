/**
 * Progress in a notebook: one display that changes in place, with one line per kind of work.
 * @module
 */

import { findJupyter } from "@/system/interrupt.ts";
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

/** Creates a display with an id, or updates it. */
type Display = (shown: Shown, id: string, update: boolean) => Promise<void>;

/** Display function and clock; the defaults are the kernel and the clock of the process. */
type NotebookProgressOptions = {
  readonly display?: Display;
  readonly nowMs?: () => number;
  /** Minimum time between two updates of the display, in milliseconds. */
  readonly redrawMs?: number;
};

let views = 0;

/**
 * Creates a progress view in the output of the running cell. The final state contains no time and no throughput, so
 * the output is reproducible. Await `finish()`, or the kernel may lose the final state.
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
    // updates are sent one after the other, in order
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
    throw new Error("notebook progress needs a Jupyter kernel; run this code in a notebook");
  }
  await jupyter.display(shown, { raw: true, display_id: id, update });
}
