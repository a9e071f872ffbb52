import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  explainProfile,
  formatLimits,
  formatLongest,
  profileCells,
} from "@/development/bench/format_profile.ts";
import { bestLimits, type Limits, measureLimits } from "@/development/bench/measure_limits.ts";
import type { StepJob } from "@/development/bench/job.ts";
import { measureSteps } from "@/development/bench/measure_step.ts";
import {
  averageProfiles,
  type StepProfile,
  summarizeProfile,
} from "@/development/bench/step_profile.ts";
import { openEngine } from "@/engine/engine.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import type { ProgramProfile } from "@/engine/profile.ts";

const ignore = findCompiler() === null;

const LIMITS: Limits = {
  float32GFlops: 200,
  bfloat16GFlops: 400,
  memoryGBytes: 50,
  cacheGBytes: 190,
};

const PROGRAMS: readonly ProgramProfile[] = [
  {
    name: "gradient.topic",
    passes: [
      { kernel: null, kind: "products", seconds: 0.1, flops: 16e9, bytes: 2e9 },
      { kernel: "softmax_1f", kind: "rows", seconds: 0.02, flops: 0, bytes: 1e9 },
      { kernel: null, kind: "products", seconds: 0.1, flops: 8e9, bytes: 2e9 },
    ],
  },
  {
    name: "update",
    passes: [{ kernel: "adamw_2e", kind: "elements", seconds: 0.04, flops: 0, bytes: 2e9 }],
  },
];

/** Two steps of 150 ms: 140 ms in programs, of which 130 ms in passes. */
const PROFILE = summarizeProfile(PROGRAMS, { steps: 2, totalMs: 300, runMs: 280 });

const round = (value: number) => Number(value.toFixed(9));

Deno.test("summarizeProfile() averages steps and groups all passes of the update", () => {
  const { kinds, longest, ...rest } = PROFILE;
  deepStrictEqual(
    kinds.map(({ kind, ms, flops, bytes }) => [kind, round(ms), flops, bytes]),
    [["products", 100, 12e9, 2e9], ["rows", 10, 0, 0.5e9], ["optimizer", 20, 0, 1e9]],
  );
  deepStrictEqual(longest, [{ name: "adamw_2e", ms: 20 }, { name: "softmax_1f", ms: 10 }]);
  deepStrictEqual(
    Object.fromEntries(Object.entries(rest).map(([name, ms]) => [name, round(ms)])),
    { stepMs: 150, dispatchMs: 10, javascriptMs: 10 },
  );
});

Deno.test("averageProfiles() averages each time", () => {
  const slower: StepProfile = {
    ...PROFILE,
    stepMs: 170,
    kinds: PROFILE.kinds.map((totals) => ({ ...totals, ms: totals.ms + 6 })),
    javascriptMs: 12,
  };
  const mean = averageProfiles([PROFILE, slower]);
  deepStrictEqual(mean?.kinds.map(({ ms, flops }) => [round(ms), flops]), [
    [103, 12e9],
    [13, 0],
    [23, 0],
  ]);
  deepStrictEqual([mean?.stepMs, round(mean?.javascriptMs ?? NaN)], [160, 11]);
  const mixed = averageProfiles([PROFILE, { ...PROFILE, longest: [{ name: "adamw_2e", ms: 30 }] }]);
  deepStrictEqual(formatLongest(mixed ?? {}), [
    "Generated kernels that take longest, per step: adamw_2e 25.0 ms, softmax_1f 10.0 ms.",
  ]);
  deepStrictEqual(formatLongest({}), []);
  strictEqual(averageProfiles([]), undefined);
});

Deno.test("bestLimits() takes the maximum over processes", () => {
  const other = { ...LIMITS, float32GFlops: 210, memoryGBytes: 40 };
  deepStrictEqual(bestLimits([LIMITS, other]), { ...LIMITS, float32GFlops: 210 });
  const without = { ...LIMITS, bfloat16GFlops: null };
  deepStrictEqual(bestLimits([without]), without);
  strictEqual(bestLimits([]), undefined);
});

Deno.test("profileCells() shows throughput relative to the peak, and times that sum to the step", () => {
  const profile = { ...PROFILE, limits: LIMITS };
  deepStrictEqual(profileCells(profile, "mixed-bfloat16"), [
    ["products", "100.0", "66.7 %", "120", "30.0 %", "20.0"], // 12e9 in 0.1 s of 400e9
    ["rows", "10.0", "6.7 %", "", "", "50.0"],
    ["optimizer", "20.0", "13.3 %", "", "", "50.0"],
    ["dispatch", "10.0", "6.7 %", "", "", ""],
    ["JavaScript", "10.0", "6.7 %", "", "", ""],
    ["step", "150.0", "100.0 %", "", "", ""],
  ]);
  strictEqual(profileCells(profile, "float32")[0]?.[4], "60.0 %");
  const plain = { ...profile, limits: { ...LIMITS, bfloat16GFlops: null } };
  strictEqual(profileCells(plain, "mixed-bfloat16")[0]?.[4], "60.0 %", "float32 does bfloat16");
  deepStrictEqual(explainProfile(profile).map((line) => line.split(":")[0]), [
    ...["products", "rows", "optimizer", "dispatch"],
    "GB/s",
  ]);
});

Deno.test("formatLimits() includes bfloat16 if the processor supports it", () => {
  strictEqual(
    formatLimits({ ...LIMITS, bfloat16GFlops: null }),
    "Limits of this machine: matrix products 200 GFLOP/s in float32; bandwidth (two arrays read, one written) " +
      "50 GB/s in memory, 190 GB/s in cache (12 MiB).",
  );
  ok(formatLimits(LIMITS).includes("in float32, 400 in bfloat16;"));
});

/** L layers with hidden size D and intermediate size F, batches of B rows of T tokens. */
const [L, D, F, B, T] = [1, 16, 32, 2, 8];
const BATCH = { rows: B, length: T, tokens: B * T };
const JOB: StepJob = {
  kind: "step",
  model: { hiddenSize: D, layers: L, attentionHeads: 2, intermediateSize: F },
  dropout: 0.1,
  warmup: 1,
  steps: [[BATCH, BATCH], [BATCH, BATCH]],
  profile: true,
};

Deno.test({
  name:
    "the profile of a step counts the matrix products of BERT and its heads, and sums to the step",
  ignore,
  async fn() {
    await openEngine({ executor: "native", threads: 2 });
    const [found] = await measureSteps(JOB, () => performance.now());
    const profile = found?.profile;
    if (found === undefined || profile === undefined) throw new Error("no profile");
    const flops = new Map(profile.kinds.map(({ kind, flops }) => [kind, flops]));
    // 2 operations per weight element and token, once forward and twice backward; four D×D and two
    // D×F weights per layer; heads of D×D and D×4 on rows, D×D and D×9 on tokens
    const layers = 2 * L * B * T * (4 * D * D + 2 * D * F);
    const heads = B * (D * D + 4 * D) + B * T * (D * D + 9 * D);
    strictEqual(flops.get("products"), 3 * 2 * (layers + heads));
    strictEqual(flops.get("attention"), 3 * 2 * 2 * L * (2 * B * T * T * D));
    const { stepMs, dispatchMs, javascriptMs, kinds } = profile;
    const whole = kinds.reduce((sum, { ms }) => sum + ms, dispatchMs + javascriptMs);
    ok(Math.abs(whole - stepMs) < 1e-6 * stepMs);
    ok(dispatchMs >= 0 && javascriptMs >= 0 && kinds.every(({ ms }) => ms > 0));
    const timed = found.timesMs.reduce((sum, ms) => sum + ms, 0) / JOB.steps.length;
    ok(Math.abs(stepMs - timed) < 1e-6 * timed);
  },
});

Deno.test("profiling with another executor is refused", async () => {
  await openEngine({ executor: "onnx" });
  await rejects(measureSteps(JOB, () => performance.now()), {
    message: "Cannot profile steps: the executor must be native, not onnx",
  });
});

Deno.test({
  name: "measureLimits() returns finite values, for bfloat16 if the processor supports it",
  ignore,
  async fn() {
    const { bfloat16GFlops, ...rest } = await measureLimits(
      { threads: 2, isa: null },
      () => performance.now(),
    );
    for (const [name, rate] of Object.entries(rest)) ok(rate > 0.01 && rate < 1e6, name);
    ok(bfloat16GFlops === null || bfloat16GFlops > 0.01);
  },
});
