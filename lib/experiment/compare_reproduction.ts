/**
 * A run and the same run made again, number by number. Where both were computed alike every number must be
 * identical, but for times. Elsewhere sums are rounded in another order; training carries such a difference
 * on, so that losses and scores must be close, and what follows from the configuration and the data alone
 * (steps, word pieces, rates, rows) must still be equal.
 * @module
 */
import { isObject } from "@/config_rules.ts";

/**
 * How far a loss (nats) may be off elsewhere: so much, and so large a share of it. Seen were 4e-6 nats
 * between native and onnx on the sample, and 4e-4 between float32 and bfloat16 on real data.
 */
export const LOSS_TOLERANCE = { nats: 0.02, share: 0.05 };

/** How far a main score (0 to 1) may be off elsewhere. */
export const SCORE_TOLERANCE = 0.01;

/** What numbers are held to. */
export const AGREEMENTS = ["identical", "close"] as const;
/** One of {@link AGREEMENTS}. */
export type Agreement = typeof AGREEMENTS[number];

/** A place at which two runs are not the same. */
export type Difference = {
  /** Such as `metrics.jsonl line 3, step 75`. */
  readonly place: string;
  /** Such as `losses.ag_news`. */
  readonly key: string;
  readonly then: unknown;
  readonly now: unknown;
};

/** What came of a comparison. */
export type Comparison = {
  /** Values compared. */
  readonly compared: number;
  /** In the order of files and lines; empty: the run was reproduced. */
  readonly differences: readonly Difference[];
  /** The largest difference of a loss and of a score, as far as they were compared. */
  readonly largest: Readonly<Partial<Record<"loss" | "score", Difference>>>;
};

/** What two runs are compared by, as it stands in their files. */
export type RunNumbers = {
  readonly metrics: readonly unknown[];
  readonly summary: unknown;
};

/** Compares all that two runs came to. */
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
    if (a === undefined) found.differences.push({ place, key: "the line", then: a, now: step });
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
 * Compares two values and those inside of them; adds what it finds to `found`. What is recorded now alone
 * is passed over: the code that made the first run did not know it.
 */
function compareValues({ place, path, then, now }: Pair, agreement: Agreement, found: Found): void {
  if (UNTOLD.some((key) => key === path[0])) return;
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
  const difference = { place, key: path.join(".") || "the line", then, now };
  if (rule !== "equal" && rule !== "rate") {
    const largest = found.largest[rule];
    if (largest === undefined || distance(difference) > distance(largest)) {
      found.largest[rule] = difference;
    }
  }
  if (!holds(rule, difference)) found.differences.push(difference);
}

const isNested = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Keys that say nothing of numbers: times, the folder's name, what is told in words. */
const UNTOLD = ["seconds", "name", "notes"];

/** What elsewhere may differ as it will: it swings with the last digits. */
const FREE = ["gradientNorm", "lossScale", "skipped", "best"];

/** Scores that stand for a split. */
const MAIN_SCORES = ["accuracy", "macroF1", "f1", "strictF1"];

type PathRule = "equal" | "rate" | "loss" | "score" | "free";

/** What a value at `path` is held to elsewhere. */
function ruleOf(path: readonly string[]): PathRule {
  const [first = "", second] = path, last = path.at(-1) ?? "";
  if (FREE.includes(first)) return "free";
  if (first === "losses" || first === "logVariances") return "loss";
  if (first === "rate" || first === "epoch" || second !== undefined && last === "learningRate") {
    return "rate";
  }
  if (first !== "scores") return "equal";
  if (last === "rows" && !path.includes("bins")) return "equal";
  const whole = !path.some((key) => key === "perClass" || key === "perType");
  return whole && MAIN_SCORES.includes(last) ? "score" : "free";
}

/** Share by which rates may be off where powers and cosines are another library's. */
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

/** Endless where one of the two is missing. */
function distance({ then, now }: Difference): number {
  return typeof then === "number" && typeof now === "number" ? Math.abs(then - now) : Infinity;
}
