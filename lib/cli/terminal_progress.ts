/**
 * Shows progress on stderr: in a terminal as one line that is overwritten, otherwise as a log with few lines.
 * @module
 */

import {
  completeProgress,
  createRateMeter,
  drawBar,
  type Progress,
  progressFigures,
  type ProgressView,
} from "@/progress.ts";
import { onCompile } from "@/engine/jit.ts";

/** Options of {@link createTerminalProgress}; the defaults are the process's stderr and clock. */
export type TerminalProgressOptions = {
  readonly write?: (text: string) => void;
  /** True if the line can be overwritten. */
  readonly terminal?: boolean;
  /** Width of the terminal in characters; called for each line, because windows can be resized. */
  readonly columns?: () => number;
  readonly nowMs?: () => number;
  /** Minimum milliseconds between two updates of the line. */
  readonly redrawMs?: number;
  /** Minimum milliseconds between two lines of the log. */
  readonly logMs?: number;
};

const encoder = new TextEncoder();

/** Writes on stderr and ignores errors, so that a closed terminal or pipe does not end the work. */
function writeOnStderr(text: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(text));
  } catch { /* the terminal or the pipe is closed */ }
}

/** Writes a line on stderr. */
export function printLine(line: string): void {
  writeOnStderr(`${line}\n`);
}

/** Creates a view that writes on stderr, so that stdout only contains results. */
export function createTerminalProgress(options: TerminalProgressOptions = {}): ProgressView {
  const {
    write = writeOnStderr,
    terminal = Deno.stderr.isTerminal(),
    columns = askColumns,
    nowMs = () => performance.now(),
    redrawMs = 100,
    logMs = 10_000,
  } = options;
  let meter = createRateMeter();
  let label: string | null = null;
  let shownMs = -Infinity;
  let pending: Progress | null = null;

  const show = (progress: Progress) => {
    write(terminal ? `\r${formatLine(progress, columns())}\x1b[K` : `${formatLog(progress)}\n`);
    pending = null;
  };
  return {
    update(progress) {
      const now = nowMs();
      if (progress.label !== label) { // different work starts a new line
        if (pending !== null) show(pending);
        if (terminal && label !== null) write("\n");
        label = progress.label;
        meter = createRateMeter();
        shownMs = -Infinity;
      }
      pending = completeProgress(progress, meter.update(progress.done, now));
      const ended = progress.done >= progress.total;
      if (ended || now - shownMs >= (terminal ? redrawMs : logMs)) {
        shownMs = now;
        show(pending);
      }
    },
    finish() {
      if (pending !== null) show(pending);
      if (terminal && label !== null) write("\n");
      label = null;
    },
  };
}

/** Formats progress in at most `columns` − 1 characters; figures that do not fit are dropped, the last first. */
export function formatLine(progress: Progress, columns: number): string {
  const room = Math.max(10, columns - 1); // a full line wraps in some terminals
  const head = progress.label.slice(0, room);
  const figures = progressFigures(progress);
  const share = `${
    String(Math.floor(100 * progress.done / Math.max(1, progress.total))).padStart(3)
  } %`;
  let line = `${head} ${share}`;
  if (line.length > room) return head;
  const barWidth = Math.min(24, Math.floor(room / 4));
  const withBar = `${head} ${drawBar(progress.done, progress.total, barWidth)} ${share}`;
  if (withBar.length + 2 + (figures[0]?.length ?? 0) <= room) line = withBar;
  for (const figure of figures) {
    if (line.length + 2 + figure.length > room) break;
    line += `  ${figure}`;
  }
  return line;
}

/** Formats progress as a line of a log. */
export function formatLog(progress: Progress): string {
  return [progress.label, ...progressFigures(progress)].join("  ");
}

function askColumns(): number {
  try {
    return Deno.consoleSize().columns || 80; // a terminal may report a width of 0
  } catch {
    return 80; // not a terminal
  }
}

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
