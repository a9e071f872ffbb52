import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  createPredictQuestion,
  driveLoad,
  type LoadResult,
  summarizeMemory,
} from "@/development/load/drive_load.ts";
import { formatLoad, formatLoadPage } from "@/development/load/format_load.ts";
import { withServedApp } from "../../app/served_app.ts";

Deno.test("summarizeMemory() returns medians of the first, middle and last tenth", () => {
  // a tenth of 20 samples is two: 100, 102; indices 9 and 10; 110, 120
  const samples = [100, 102, ...Array(7).fill(0), 105, 106, ...Array(7).fill(0), 110, 120];
  deepStrictEqual(summarizeMemory(samples), { start: 101, middle: 106, end: 115, max: 120 });
  strictEqual(summarizeMemory([]), null);
});

Deno.test("driveLoad() counts responses and errors, measures latency and stops in time", async () => {
  let now = 0;
  const asked: number[] = [];
  const result = await driveLoad({
    clients: 1,
    seconds: 1,
    nowMs: () => now,
    readMiB: () => Promise.resolve(null),
    ask: (turn) => {
      asked.push(turn);
      now += 100 * (turn + 1); // 100, 300, 600, 1000 ms after the start
      return turn === 1 ? Promise.reject(new Error("status 503")) : Promise.resolve();
    },
  });
  deepStrictEqual(asked, [0, 1, 2, 3]);
  deepStrictEqual(result, {
    clients: 1,
    seconds: 1,
    answers: 3,
    errors: 1,
    errorsByReason: { "status 503": 1 },
    answersPerSecond: 3,
    // latencies 200, 300 and 400: position 0.95 · 2 = 1.9 lies nine tenths of the way from 300 to 400
    latencyMs: { p50: 300, p95: 390, p99: 398, max: 400 },
    residentMiB: null,
  });
});

Deno.test("driveLoad() works with a real server and detects wrong responses", async () => {
  await withServedApp(async ({ address, state }) => {
    const options = {
      ask: createPredictQuestion(address, ["Ada wrote.", "yes", ""]),
      clients: 5,
      seconds: 0.3,
      nowMs: () => performance.now(),
      readMiB: () => Promise.resolve(100),
    };
    const result = await driveLoad(options);
    ok(result.answers >= 5 && result.errors === 0, formatLoad(result).join("\n"));
    deepStrictEqual(result.residentMiB, { start: 100, middle: 100, end: 100, max: 100 });
    state.run = null;
    const broken = await driveLoad({ ...options, clients: 1, seconds: 0.01 });
    deepStrictEqual([broken.answers, Object.keys(broken.errorsByReason)], [0, ["status 503"]]);
  });
});

Deno.test("formatLoad() lists requests, throughput, latency and memory", () => {
  const result: LoadResult = {
    clients: 64,
    seconds: 60.4,
    answers: 1000,
    errors: 2,
    errorsByReason: { "status 503": 2 },
    answersPerSecond: 16.56,
    latencyMs: { p50: 100.4, p95: 200, p99: 300, max: 400 },
    residentMiB: { start: 400, middle: 410, end: 405, max: 420 },
  };
  deepStrictEqual(formatLoad(result), [
    "64 clients, 60 s: 1000 answers, 2 errors (2 × status 503)",
    "16.6 texts per second",
    "latency: p50 100 ms, p95 200 ms, p99 300 ms, max 400 ms",
    "resident memory of the server: 400 MiB at the start, 410 in the middle, 405 at the end",
  ]);
  const machine = { cpu: "Abacus 9", cores: 2, memoryGiB: 24, flags: [] };
  const context = { machine, versions: { deno: "2.9.6" }, threads: 2, command: "deno task load r" };
  match(formatLoadPage(result, { context, subject: "Run r." }), /\n\nRun r\. Each client .*\n\n- /);
});
