/**
 * Load on a server: clients that each ask again as soon as they are answered, and what became of that.
 * @module
 */
import { median } from "@/bench/statistics.ts";
import { quantile } from "@/quantile.ts";

/** Who asks, how and for how long. */
export type LoadOptions = {
  /** Asks question number `turn`; an answer that is not a right one is an error. */
  readonly ask: (turn: number) => Promise<void>;
  /** How many ask at the same time. */
  readonly clients: number;
  /** How long they begin new questions. */
  readonly seconds: number;
  readonly nowMs: () => number;
  /** MiB that the server holds now, asked for now and then; null where the system does not say. */
  readonly readMiB: () => Promise<number | null>;
  /** Told now and then how many seconds have passed. */
  readonly onSecond?: (seconds: number, answers: number) => void;
};

/** What became of a load. */
export type LoadResult = {
  readonly clients: number;
  readonly seconds: number;
  readonly answers: number;
  /** Questions without a right answer. */
  readonly errors: number;
  /** How often each error was seen, by its words. */
  readonly errorsByReason: Readonly<Record<string, number>>;
  readonly answersPerSecond: number;
  /** Of answers, from question to answer as the client sees it; NaN where there are none. */
  readonly latencyMs: Readonly<Record<"p50" | "p95" | "p99" | "max", number>>;
  /** Of the server: medians of the first, middle and last tenth of the time; null: not known. */
  readonly residentMiB: Readonly<Record<"start" | "middle" | "end" | "max", number>> | null;
};

const WATCH_MS = 250;

/** Start, middle and end of samples in the order of time; null of none. */
export function summarizeMemory(samples: readonly number[]): LoadResult["residentMiB"] {
  if (samples.length === 0) return null;
  const size = Math.max(1, Math.floor(samples.length / 10));
  const middle = Math.floor((samples.length - size) / 2);
  const at = (from: number) => Math.round(median(samples.slice(from, from + size)));
  return {
    start: at(0),
    middle: at(middle),
    end: at(samples.length - size),
    max: Math.round(Math.max(...samples)),
  };
}

/** Puts a load on a server; the errors of its answers are counted and end nothing. */
export async function driveLoad(options: LoadOptions): Promise<LoadResult> {
  const { ask, clients, seconds, nowMs, readMiB, onSecond = () => {} } = options;
  const latencies: number[] = [], samples: number[] = [];
  const reasons = new Map<string, number>();
  const startMs = nowMs();
  let turn = 0, ended = false;
  const passed = () => (nowMs() - startMs) / 1000;
  const runClient = async () => {
    while (passed() < seconds) {
      const askedMs = nowMs();
      try {
        await ask(turn++);
        latencies.push(nowMs() - askedMs);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
  };
  const watch = async () => {
    while (!ended) {
      const found = await readMiB();
      if (found !== null) samples.push(found);
      onSecond(Math.min(seconds, passed()), latencies.length);
      await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    }
  };
  const watching = watch();
  await Promise.all(Array.from({ length: clients }, runClient));
  const took = passed();
  ended = true;
  await watching;
  return {
    clients,
    seconds: took,
    answers: latencies.length,
    errors: [...reasons.values()].reduce((sum, count) => sum + count, 0),
    errorsByReason: Object.fromEntries(reasons),
    answersPerSecond: latencies.length / took,
    latencyMs: {
      p50: quantile(latencies, 0.5),
      p95: quantile(latencies, 0.95),
      p99: quantile(latencies, 0.99),
      max: quantile(latencies, 1),
    },
    residentMiB: summarizeMemory(samples),
  };
}

/** Asks a server of the demo page what it reads in one of `texts`, in turn. */
export function createPredictQuestion(
  address: string,
  texts: readonly string[],
): (turn: number) => Promise<void> {
  return async (turn) => {
    const text = texts[turn % texts.length] ?? "";
    const response = await fetch(`${address}api/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ texts: [text] }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`status ${response.status}`);
    if (answer.predictions?.[0]?.text !== text) throw new Error("the answer of another question");
  };
}
