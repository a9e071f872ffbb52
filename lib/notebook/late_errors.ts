/**
 * Unhandled errors: errors that a timer throws, and rejected promises that nobody awaits. They may occur while a
 * later cell runs. The kernel of Deno 2.9 hangs for half a minute after one and then continues as if nothing had
 * happened. Therefore a program that runs before the first cell reports them.
 * @module
 */
import { isRecord } from "./nbformat.ts";

/** An unhandled error. */
export type LateError = {
  /** Number of the cell that started the failing work; null if unknown. */
  readonly cell: number | null;
  /** Name and message of the error. */
  readonly message: string;
};

/** Media type of the report of a {@link LateError}. */
const LATE = "application/x-late-error";
/** Maximum time that {@link SETTLE_PROGRAM} waits for timers. */
const SETTLE_MS = 10_000;
/** Minimum wait, for promises of files and of the network, whose end is unknown. */
const LEAST_SETTLE_MS = 500;

/**
 * Program that reports unhandled errors. `AsyncLocalStorage` passes the number of the cell on to its promises, but not
 * to the handler of an error thrown in a timer, so the functions of timers are wrapped.
 */
export const WATCH_PROGRAM = `{
  const { AsyncLocalStorage } = await import("node:async_hooks");
  const cells = new AsyncLocalStorage(), thrown = new Map();
  const sleep = setTimeout;
  const due = new Map(); // when the timers that are set fire; intervals are watched for a while
  const report = (error) => {
    const cell = thrown.get(error) ?? cells.getStore() ?? null;
    const message = error instanceof Error ? error.name + ": " + error.message
      : typeof error === "object" ? Deno.inspect(error) : String(error);
    const data = { "${LATE}": { cell, message } };
    Deno.jupyter.broadcast("display_data", { data, metadata: {}, transient: {} });
  };
  addEventListener("error", (event) => {
    event.preventDefault();
    report(event.error ?? event.message); // a worker's error comes as a message
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report(event.reason);
  });
  for (const name of ["setTimeout", "setInterval", "queueMicrotask"]) {
    const original = globalThis[name];
    globalThis[name] = (call, delay, ...rest) => {
      const cell = cells.getStore();
      const watched = typeof call !== "function" ? call : (...args) => {
        if (name === "setTimeout") due.delete(timer);
        try {
          return call(...args);
        } catch (error) {
          thrown.set(error, cell);
          throw error;
        }
      };
      const timer = original(watched, delay, ...rest);
      const waitMs = Math.max(0, Number(delay) || 0);
      if (name !== "queueMicrotask" && waitMs <= ${SETTLE_MS}) {
        due.set(timer, performance.now() + (name === "setTimeout" ? waitMs : ${SETTLE_MS}));
      }
      return timer;
    };
  }
  for (const name of ["clearTimeout", "clearInterval"]) {
    const original = globalThis[name];
    globalThis[name] = (timer) => {
      due.delete(timer);
      original(timer);
    };
  }
  globalThis[Symbol.for("stx.watch")] = {
    enter: (cell) => cells.enterWith(cell),
    async settle() {
      const start = performance.now(), end = start + ${SETTLE_MS};
      for (let until = start + ${LEAST_SETTLE_MS}; until > performance.now();) {
        await new Promise((done) => sleep(done, until - performance.now() + 50));
        until = Math.min(end, Math.max(0, ...due.values())); // of timers that timers have set as well
      }
    },
  };
}
undefined`;

/** Program that attributes everything started after it to cell `cell`. */
export const enterProgram = (cell: number) =>
  `globalThis[Symbol.for("stx.watch")].enter(${cell}); undefined`;

/** Program that ends when the timers of the next seconds have fired, and intervals have ticked for as long. */
export const SETTLE_PROGRAM = `await globalThis[Symbol.for("stx.watch")].settle(); undefined`;

/** The unhandled error that display data report; null if the data are something else. */
export function readLateError(data: unknown): LateError | null {
  const report = isRecord(data) ? data[LATE] : undefined;
  if (!isRecord(report)) return null;
  const { cell, message } = report;
  return { cell: typeof cell === "number" ? cell : null, message: String(message) };
}
