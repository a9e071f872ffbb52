import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { type JobOutcome, readOutcome } from "@/development/bench/job.ts";
import { composeResult, pickFastest, summarizeRounds } from "@/development/bench/summarize.ts";

const outcome = (peakMiB: number, ...times: readonly (readonly number[])[]): JobOutcome => ({
  executor: "onnx",
  version: "1",
  peakMiB,
  measurements: times.map((timesMs, i) => ({
    label: times.length > 1 ? `part ${i}` : "",
    timesMs,
    details: { tokensPerSecond: 1000 / (timesMs[0] ?? NaN) },
  })),
});

Deno.test("summarizeRounds() pools the times of all rounds and takes the largest peak memory", () => {
  const [found] = summarizeRounds([
    outcome(100, [10, 20]),
    outcome(300.4, [12]),
    outcome(90, [50]),
  ]);
  deepStrictEqual(found, {
    label: "",
    executor: "onnx",
    version: "1",
    medianMs: 16, // median of 10, 12, 20, 50
    minMs: 10,
    peakMiB: 300,
    details: { tokensPerSecond: 1000 / 12 }, // median of 100, 83.3, 20
  });
  deepStrictEqual(summarizeRounds([]), []);
});

Deno.test("summarizeRounds() summarizes each measurement of a job separately", () => {
  const found = summarizeRounds([outcome(1, [1], [100]), outcome(1, [3], [300])]);
  deepStrictEqual(found.map(({ label, medianMs }) => [label, medianMs]), [
    ["part 0", 2],
    ["part 1", 200],
  ]);
});

Deno.test("pickFastest() compares medians, not minimums", () => {
  const slow = { medianMs: 20, minMs: 1, peakMiB: 1 },
    fast = { medianMs: 10, minMs: 9, peakMiB: 5 };
  strictEqual(pickFastest([slow, fast]), fast);
  strictEqual(pickFastest([]), null);
});

Deno.test("composeResult() compares with the fastest variant and keeps all of them", () => {
  const at = (medianMs: number) => ({
    label: "",
    executor: "torch",
    version: "2.13.0",
    medianMs,
    minMs: medianMs - 1,
    peakMiB: 50,
    details: {},
  });
  const ours = { ...at(30), executor: "onnx", details: { javascriptShare: 0.01 } };
  const head = { name: "step-mini", precision: "float32", settings: "", shape: "2x32x64" };
  const result = composeResult(head, ours, new Map([["eager", at(25)], ["compiled", at(20)]]));
  const torch = (variant: string, medianMs: number) => ({
    medianMs,
    minMs: medianMs - 1,
    peakMiB: 50,
    variant,
    version: "2.13.0",
    details: {},
  });
  deepStrictEqual(JSON.parse(JSON.stringify(result)), {
    name: "step-mini",
    precision: "float32",
    executor: "onnx",
    settings: "",
    shape: "2x32x64",
    ours: { medianMs: 30, minMs: 29, peakMiB: 50 },
    torch: torch("compiled", 20),
    torchAll: [torch("eager", 25), torch("compiled", 20)],
    ratio: 1.5, // 30 / 20
    details: { javascriptShare: 0.01 },
  });
  const alone = composeResult(head, { ...ours, label: "softmax" }, new Map());
  deepStrictEqual([alone.torch, alone.torchAll, alone.ratio, alone.shape], [
    null,
    [],
    null,
    "softmax",
  ]);
});

Deno.test("readOutcome() reads the last line and refuses anything but an outcome", () => {
  const given = outcome(12, [1, 2]);
  deepStrictEqual(readOutcome(`a warning\n${JSON.stringify(given)}\n`), given);
  throws(() => readOutcome("out of memory\n"), {
    name: "SyntaxError",
    message: "Cannot read measurement: the last line of output must be its outcome as JSON; " +
      'current line is "out of memory"',
  });
  throws(() => readOutcome(JSON.stringify({ ...given, measurements: [{ label: "" }] })), {
    name: "SyntaxError",
  });
});
