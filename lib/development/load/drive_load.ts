/**
 * Load test of a server: each client sends the next request as soon as it has a response.
 * @module
 */
import { median, quantile } from "@/statistics.ts";

/** Options of a load test. */
export type LoadOptions = {
  /** Sends request number `turn`. Throws if the response is wrong. */
  readonly ask: (turn: number) => Promise<void>;
  /** Number of concurrent clients. */
  readonly clients: number;
  /** Duration, in seconds, during which clients start new requests. */
  readonly seconds: number;
  readonly nowMs: () => number;
  /** Returns the resident memory of the server in MiB, null if unknown; called periodically. */
  readonly readMiB: () => Promise<number | null>;
  /** Called periodically with the elapsed seconds. */
  readonly onSecond?: (seconds: number, answers: number) => void;
};

/** Result of a load test. */
export type LoadResult = {
  readonly clients: number;
  readonly seconds: number;
  readonly answers: number;
  /** Number of requests without a correct response. */
  readonly errors: number;
  /** Number of errors by message. */
  readonly errorsByReason: Readonly<Record<string, number>>;
  readonly answersPerSecond: number;
  /** Latency of successful requests as seen by the client; NaN if there are none. */
  readonly latencyMs: Readonly<Record<"p50" | "p95" | "p99" | "max", number>>;
  /** Resident memory of the server: medians over the first, middle and last tenth of the time; null if unknown. */
  readonly residentMiB: Readonly<Record<"start" | "middle" | "end" | "max", number>> | null;
};

const WATCH_MS = 250;

/** Summarizes chronological samples; null if there are none. */
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

/** Runs a load test. Failed requests are counted and do not end it. */
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

/** Creates a request function that asks the demo page's server for predictions, cycling through `texts`. */
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
    if (answer.predictions?.[0]?.text !== text) {
      throw new Error("the response belongs to another request");
    }
  };
}
