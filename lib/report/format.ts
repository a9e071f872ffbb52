/**
 * Number formats of reports; independent of the locale.
 * @module
 */

import type { Interval } from "@/statistics.ts";

/** Formats a fraction as percent with two decimals, without the percent sign: 0.93391 is "93.39". */
export function formatPercent(fraction: number): string {
  return (100 * fraction).toFixed(2);
}

/** Formats an interval of fractions as percent: "92.82 – 93.95". */
export function formatInterval([low, high]: Interval): string {
  return `${formatPercent(low)} – ${formatPercent(high)}`;
}

/** Formats an integer with thousands separators: "22,713,216". */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Formats a learning rate with three digits: "5.31e-5"; zero is "0". */
export function formatRate(rate: number): string {
  if (rate === 0) return "0";
  const [digits = "", exponent = ""] = rate.toExponential(2).split("e");
  return `${digits.replace(/\.?0+$/, "")}e${exponent.replace("+", "")}`;
}

/** Formats a duration: "9.3 s", "1 min 05 s", "2 h 03 min". */
export function formatDuration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${two(whole % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** Formats a difference of fractions in points (of 100) with its sign; zero has none. */
export function formatPoints(difference: number): string {
  const size = Math.abs(100 * difference).toFixed(2);
  return Number(size) === 0 ? size : `${difference < 0 ? "−" : "+"}${size}`;
}
