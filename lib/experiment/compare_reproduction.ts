/**
 * Compares a run with its reproduction, number by number. In the same environment, all numbers except times
 * must be identical. In another environment, sums are rounded in a different order, and training amplifies
 * such differences. Losses and scores must then be close. Values that depend only on the configuration and
 * the data (steps, tokens, learning rates, rows) must still be equal.
 * @module
 */
import { isObject } from "@/schema.ts";

/**
 * Tolerance of losses in another environment: `nats` plus `share` of the loss. Observed differences were 4e-6
 * nats between native and onnx on the sample, and 4e-4 between float32 and bfloat16 on real data.
 */
export const LOSS_TOLERANCE = { nats: 0.02, share: 0.05 };

/** Tolerance of a main score (0 to 1) in another environment. */
export const SCORE_TOLERANCE = 0.01;

/** Required agreement of two runs. */
const AGREEMENTS = ["identical", "close"] as const;
/** One of {@link AGREEMENTS}. */
type Agreement = typeof AGREEMENTS[number];

/** A value that differs between two runs. */
export type Difference = {
  /** For example `metrics.jsonl line 3, step 75`. */
  readonly place: string;
  /** For example `losses.ag_news`. */
  readonly key: string;
  readonly then: unknown;
  readonly now: unknown;
};

/** Result of a comparison. */
type Comparison = {
  /** Number of values compared. */
  readonly compared: number;
  /** In the order of files and lines; empty if the run was reproduced. */
  readonly differences: readonly Difference[];
  /** Largest difference of a loss and of a score, if any were compared. */
  readonly largest: Readonly<Partial<Record<"loss" | "score", Difference>>>;
};

/** Parsed files of a run that are compared. */
export type RunNumbers = {
  readonly metrics: readonly unknown[];
  readonly summary: unknown;
};

/** Compares all numbers of two runs. */
export function compareNumbers(
  then: RunNumbers,
  now: RunNumbers,
  agreement: Agreement,
): Comparison {
  const found: Found = { compared: 0, differences: [], largest: {} };
  const count = Math.max(then.metrics.length, now.metrics.length);
  for (let i = 0; i < count; i++) {
    const [a, b] = [then.metrics[i], now.metrics[i]];
    const { step } = isObject(a) ? a : isObject(b) ? b : {};
    const place = `metrics.jsonl line ${i + 1}, step ${step}`;
    if (a === undefined) found.differences.push({ place, key: "line", then: a, now: step });
    else compareValues({ place, path: [], then: a, now: b }, agreement, found);
  }
  const summaries = { then: then.summary, now: now.summary };
  compareValues({ place: "summary.json", path: [], ...summaries }, agreement, found);
  return found;
}

type Pair = {
  readonly place: string;
  readonly path: readonly string[];
  readonly then: unknown;
  readonly now: unknown;
};

type Found = {
  compared: number;
  differences: Difference[];
  largest: Partial<Record<"loss" | "score", Difference>>;
};

/**
 * Compares two values recursively and adds the result to `found`. Keys that only the new run has are ignored,
 * because the code of the first run did not record them.
 */
function compareValues({ place, path, then, now }: Pair, agreement: Agreement, found: Found): void {
  if (IGNORED.some((key) => key === path[0])) return;
  if (isNested(then) && isNested(now)) {
    const other = new Map<string, unknown>(Object.entries(now));
    for (const [key, value] of Object.entries(then)) {
      const inside = { place, path: [...path, key], then: value, now: other.get(key) };
      compareValues(inside, agreement, found);
    }
    return;
  }
  const rule = agreement === "identical" ? "equal" : ruleOf(path);
  if (rule === "free") return;
  found.compared++;
  const difference = { place, key: path.join(".") || "line", then, now };
  if (rule !== "equal" && rule !== "rate") {
    const largest = found.largest[rule];
    if (largest === undefined || distance(difference) > distance(largest)) {
      found.largest[rule] = difference;
    }
  }
  if (!holds(rule, difference)) found.differences.push(difference);
}

const isNested = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Keys that are never compared: times, the name of the folder, notes. */
const IGNORED = ["seconds", "name", "notes"];

/** Keys that may differ freely in another environment, because they are sensitive to rounding. */
const SENSITIVE = ["gradientNorm", "lossScale", "skipped", "best"];

/** Main scores of a split. */
const MAIN_SCORES = ["accuracy", "macroF1", "f1", "strictF1"];

type PathRule = "equal" | "rate" | "loss" | "score" | "free";

/** Comparison rule for the value at `path` in another environment. */
function ruleOf(path: readonly string[]): PathRule {
  const [first = "", second] = path, last = path.at(-1) ?? "";
  if (SENSITIVE.includes(first)) return "free";
  if (first === "losses" || first === "logVariances") return "loss";
  if (first === "rate" || first === "epoch" || second !== undefined && last === "learningRate") {
    return "rate";
  }
  if (first !== "scores") return "equal";
  if (last === "rows" && !path.includes("bins")) return "equal";
  const isTotal = !path.some((key) => key === "perClass" || key === "perType");
  return isTotal && MAIN_SCORES.includes(last) ? "score" : "free";
}

/** Relative tolerance of learning rates, whose powers and cosines may come from another library. */
const RATE_TOLERANCE = 1e-9;

function holds(rule: PathRule, difference: Difference): boolean {
  const { then, now } = difference;
  if (typeof then !== "number" || typeof now !== "number") return then === now;
  switch (rule) {
    case "loss": {
      const { nats, share } = LOSS_TOLERANCE;
      return distance(difference) <= nats + share * Math.abs(then);
    }
    case "score":
      return distance(difference) <= SCORE_TOLERANCE;
    case "rate":
      return distance(difference) <= RATE_TOLERANCE * Math.abs(then);
    default:
      return then === now;
  }
}

/** Absolute difference; infinite if one of the values is missing. */
function distance({ then, now }: Difference): number {
  return typeof then === "number" && typeof now === "number" ? Math.abs(then - now) : Infinity;
}
