/**
 * Progress of long work, as a value: the work reports it, a view (terminal, notebook) shows it. The
 * work never knows the view, so the same run shows itself wherever it is started.
 * @module
 */

/** Where long work stands. */
export type Progress = {
  /** Units finished, 0 to `total`. */
  readonly done: number;
  readonly total: number;
  /** What is being done, such as `train` or `evaluate ag_news`. */
  readonly label: string;
  /** Units a second; a view works out its own, smoothed, where it is left out. */
  readonly rate?: number | undefined;
  /** Further figures, the most important first: a narrow view drops the last ones. */
  readonly details?: readonly string[] | undefined;
  /** Seconds to the end; a view works out its own where it is left out. */
  readonly secondsLeft?: number | undefined;
};

/** Something that shows progress. */
export type ProgressView = {
  /** Shows where the work stands; cheap enough to be called at every step. */
  update(progress: Progress): void;
  /** Leaves the last state in place and ends the view of this work. */
  finish(): void | Promise<void>;
};

/** A view that shows nothing. */
export const SILENT: ProgressView = { update() {}, finish() {} };

/** Smoothed speed of work. */
export type RateMeter = {
  /** Takes a new count at a time in milliseconds; gives the smoothed units a second, null while unknown. */
  update(done: number, nowMs: number): number | null;
};

/**
 * An exponentially weighted mean of the speed, in which what was seen `halfLifeMs` ago counts half.
 * It is the ratio of weighted units to weighted seconds, so pauses weigh as long as they last.
 */
export function createRateMeter(options: { readonly halfLifeMs?: number } = {}): RateMeter {
  const { halfLifeMs = 15_000 } = options;
  let last: { done: number; nowMs: number } | null = null;
  let units = 0, milliseconds = 0;
  return {
    update(done, nowMs) {
      if (last === null || done < last.done) { // the first count, or work begun anew
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

/**
 * Adds the smoothed rate and the time left to progress that lacks them.
 */
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

/** A length of time to read: `9 s`, `1:05`, `2:03:09`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** A rate to read: three digits, and seconds a unit where it is slow: `12.3/s`, `4.0 s each`. */
export function formatRate(rate: number): string {
  if (rate < 0.5) return `${(1 / rate).toFixed(1)} s each`;
  return `${rate < 9.995 ? rate.toFixed(2) : rate < 99.95 ? rate.toFixed(1) : Math.round(rate)}/s`;
}

/** The figures of a state of progress, most important first: count, rate, time left, details. */
export function progressFigures(progress: Progress): readonly string[] {
  const { done, total, rate, secondsLeft, details = [] } = progress;
  const figures = [`${done}/${total}`];
  if (rate !== undefined) figures.push(formatRate(rate));
  if (secondsLeft !== undefined && done < total) figures.push(`${formatSeconds(secondsLeft)} left`);
  return [...figures, ...details];
}

/** A bar of `width` characters, in eighths of a character. */
export function drawBar(done: number, total: number, width: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 1;
  const eighths = Math.round(share * width * 8);
  const whole = Math.floor(eighths / 8);
  const part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8] ?? "";
  return ("█".repeat(whole) + part).padEnd(width, "░");
}
