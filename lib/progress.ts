/**
 * Progress of long-running work as a value: the work reports it, and a view (terminal, notebook) displays it. The work
 * does not depend on the view.
 * @module
 */

/** State of long-running work. */
export type Progress = {
  /** Number of finished units, 0 to `total`. */
  readonly done: number;
  /** Total number of units. */
  readonly total: number;
  /** The current activity, such as `train` or `evaluate ag_news`. */
  readonly label: string;
  /** Units per second; if missing, a view computes a smoothed value. */
  readonly rate?: number | undefined;
  /** Further figures, most important first; a narrow view omits the last ones. */
  readonly details?: readonly string[] | undefined;
  /** Estimated seconds to the end; if missing, a view computes it. */
  readonly secondsLeft?: number | undefined;
};

/** A display of progress. */
export type ProgressView = {
  /** Displays the state; cheap enough to be called at every step. */
  update(progress: Progress): void;
  /** Ends the display and leaves the last state visible. */
  finish(): void | Promise<void>;
};

/** A view that displays nothing. */
export const SILENT: ProgressView = { update() {}, finish() {} };

/** Measures a smoothed rate. */
export type RateMeter = {
  /** Adds a count at a time in milliseconds; returns the smoothed units per second, or null while unknown. */
  update(done: number, nowMs: number): number | null;
};

/**
 * Creates an exponentially weighted mean of the rate: measurements lose half of their weight in `halfLifeMs`. The mean is
 * the ratio of weighted units to weighted seconds, so pauses are weighted by their duration.
 */
export function createRateMeter(options: { readonly halfLifeMs?: number } = {}): RateMeter {
  const { halfLifeMs = 15_000 } = options;
  let last: { done: number; nowMs: number } | null = null;
  let units = 0, milliseconds = 0;
  return {
    update(done, nowMs) {
      if (last === null || done < last.done) { // the first count, or work that has started again
        last = { done, nowMs };
        units = milliseconds = 0;
        return null;
      }
      const passed = nowMs - last.nowMs;
      if (passed > 0) {
        const kept = 0.5 ** (passed / halfLifeMs);
        units = units * kept + (done - last.done);
        milliseconds = milliseconds * kept + passed;
        last = { done, nowMs };
      }
      return milliseconds > 0 && units > 0 ? units / milliseconds * 1000 : null;
    },
  };
}

/** Adds the smoothed rate and the remaining time if they are missing. */
export function completeProgress(progress: Progress, rate: number | null): Progress {
  const known = progress.rate ?? rate ?? undefined;
  const left = progress.total - progress.done;
  return {
    ...progress,
    rate: known,
    secondsLeft: progress.secondsLeft ??
      (known !== undefined && known > 0 ? left / known : undefined),
  };
}

/** Formats a duration: `9 s`, `1:05`, `2:03:09`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Formats a rate with three digits, or seconds per unit if it is slow: `12.3/s`, `4.0 s each`. */
export function formatRate(rate: number): string {
  if (rate < 0.5) return `${(1 / rate).toFixed(1)} s each`;
  return `${rate < 9.995 ? rate.toFixed(2) : rate < 99.95 ? rate.toFixed(1) : Math.round(rate)}/s`;
}

/** The figures to display, most important first: count, rate, remaining time, details. */
export function progressFigures(progress: Progress): readonly string[] {
  const { done, total, rate, secondsLeft, details = [] } = progress;
  const figures = [`${done}/${total}`];
  if (rate !== undefined) figures.push(formatRate(rate));
  if (secondsLeft !== undefined && done < total) figures.push(`${formatSeconds(secondsLeft)} left`);
  return [...figures, ...details];
}

/** A progress bar of `width` characters, with a resolution of an eighth of a character. */
export function drawBar(done: number, total: number, width: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 1;
  const eighths = Math.round(share * width * 8);
  const whole = Math.floor(eighths / 8);
  const part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8] ?? "";
  return ("█".repeat(whole) + part).padEnd(width, "░");
}
