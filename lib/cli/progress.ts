/**
 * Progress in a terminal: one line that changes in place; where the output is not a terminal, a line
 * now and then.
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

/** Where and how a view writes; the defaults are the process's stderr and its clock. */
export type TerminalProgressOptions = {
  readonly write?: (text: string) => void;
  /** Whether the line can be overwritten. */
  readonly terminal?: boolean;
  /** Width of the terminal in characters; asked for at each line, as windows are resized. */
  readonly columns?: () => number;
  readonly nowMs?: () => number;
  /** Milliseconds between two drawings of the line. */
  readonly redrawMs?: number;
  /** Milliseconds between two lines of a quiet log. */
  readonly logMs?: number;
};

const encoder = new TextEncoder();

/** Writes on stderr while anyone reads it: work does not end because its progress cannot be shown. */
function writeOnStderr(text: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(text));
  } catch { /* the terminal or the other end of the pipe is gone */ }
}

/** Writes a line on stderr. */
export function printLine(line: string): void {
  writeOnStderr(`${line}\n`);
}

/** A view on stderr, so that what a task prints on stdout stays clean. */
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
      if (progress.label !== label) { // other work: a line of its own
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

/** Progress in at most `columns` − 1 characters: figures that find no room are left out, the last first. */
export function formatLine(progress: Progress, columns: number): string {
  const room = Math.max(10, columns - 1); // a full line would wrap in some terminals
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

/** Progress as a line of a log. */
export function formatLog(progress: Progress): string {
  return [progress.label, ...progressFigures(progress)].join("  ");
}

function askColumns(): number {
  try {
    return Deno.consoleSize().columns || 80; // a terminal whose size nobody has set
  } catch {
    return 80; // no terminal to ask
  }
}
