import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import {
  type BenchContext,
  formatMarkdown,
  formatMs,
  formatText,
} from "@/development/bench/format_results.ts";
import { readFlags, readMicroarchitecture } from "@/system/machine.ts";
import type { BenchResult } from "@/development/bench/summarize.ts";
import { writeResults } from "@/development/bench/write_results.ts";

const CONTEXT: BenchContext = {
  machine: { cpu: "Abacus 9", cores: 2, memoryGiB: 24, flags: ["avx2", "amx_bf16"] },
  versions: { deno: "2.9.6", torch: "2.13.0" },
  threads: 2,
  command: "deno task bench step-mini",
};

const EAGER = {
  medianMs: 1431.2,
  minMs: 1400,
  peakMiB: 2153,
  variant: "eager",
  version: "2.13.0",
  details: { tokensPerSecond: 2861.9 },
};

const STEP: BenchResult = {
  name: "step-mini",
  precision: "float32",
  executor: "onnx",
  settings: "",
  shape: "2x32x64",
  ours: { medianMs: 1800.4, minMs: 1750, peakMiB: 1559 },
  torch: EAGER,
  torchAll: [EAGER, { ...EAGER, variant: "compiled", medianMs: 1486, peakMiB: 1643, details: {} }],
  ratio: 1.258,
  details: { javascriptShare: 0.0123, programs: 3 },
};

const ALONE: BenchResult = {
  ...STEP,
  name: "ops",
  shape: "softmax 2×2",
  ours: { medianMs: 0.2144, minMs: 0.2, peakMiB: 90 },
  torch: null,
  torchAll: [],
  ratio: null,
  details: {},
};

Deno.test("formatMs() keeps three or four significant digits", () => {
  deepStrictEqual([0.21449, 85.26, 1431.2].map(formatMs), ["0.214", "85.3", "1431"]);
});

Deno.test("formatText() aligns columns, numbers to the right", () => {
  const lines = formatText([STEP, ALONE], CONTEXT).split("\n");
  deepStrictEqual(lines.slice(0, 11), [
    "machine: Abacus 9, 2 cores, 24 GiB; avx2 amx_bf16",
    "versions: deno 2.9.6, torch 2.13.0",
    "threads: 2 per program",
    "command: deno task bench step-mini",
    "",
    "benchmark  shape        precision  executor  ours ms (min)   MiB  PyTorch ms (min)   MiB  variant  ratio",
    "step-mini  2x32x64      float32    onnx        1800 (1750)  1559       1431 (1400)  2153  eager     1.26",
    "ops        softmax 2×2  float32    onnx      0.214 (0.200)    90                 –     –  –            –",
    "",
    "step-mini 2x32x64 float32: javascriptShare 1.2 %, programs 3, " +
    "PyTorch eager 1431 ms 2153 MiB tokensPerSecond 2860, PyTorch compiled 1486 ms 1643 MiB",
    "",
  ]);
});

Deno.test("formatText() shows the settings of a variant, and PyTorch's details once", () => {
  const variant = { ...STEP, executor: "native", settings: "native.isa=avx2" };
  const lines = formatText([STEP, variant], CONTEXT).split("\n");
  ok(lines[7]?.includes("  native, native.isa=avx2  "));
  deepStrictEqual(lines.filter((line) => line.includes("javascriptShare")), [
    "step-mini 2x32x64 float32: javascriptShare 1.2 %, programs 3, " +
    "PyTorch eager 1431 ms 2153 MiB tokensPerSecond 2860, PyTorch compiled 1486 ms 1643 MiB",
    "step-mini 2x32x64 float32 native.isa=avx2: javascriptShare 1.2 %, programs 3",
  ]);
});

Deno.test("formatText() and formatMarkdown() append profiles with an explanation", () => {
  const profile = {
    stepMs: 1800,
    kinds: [{ kind: "products" as const, ms: 1600, flops: 3.2e11, bytes: 2e9 }],
    dispatchMs: 150,
    javascriptMs: 50,
    limits: { float32GFlops: 250, bfloat16GFlops: null, memoryGBytes: 50, cacheGBytes: 190 },
  };
  const page = formatMarkdown([{ ...STEP, profile }, ALONE], CONTEXT);
  const [, after = ""] = page.split("## Profile of a step: step-mini 2x32x64 float32\n\n");
  deepStrictEqual(after.split("\n").slice(0, 6), [
    "| pass | ms | share | GFLOP/s | of peak | GB/s |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    "| products | 1600.0 | 88.9 % | 200 | 80.0 % | 1.3 |",
    "| dispatch | 150.0 | 8.3 % |  |  |  |",
    "| JavaScript | 50.0 | 2.8 % |  |  |  |",
    "| step | 1800.0 | 100.0 % |  |  |  |",
  ]);
  ok(
    after.includes("\nLimits of this machine: matrix products 250 GFLOP/s in float32; bandwidth "),
  );
  ok(after.includes("\n- products: matrix products\n"));
  ok(
    formatText([{ ...STEP, profile }], CONTEXT).includes(
      "\nproducts    1600.0   88.9 %      200   80.0 %   1.3\n",
    ),
  );
});

Deno.test("formatMarkdown() writes the same number of columns in every row", () => {
  const page = formatMarkdown([{ ...STEP, shape: "a|b" }, ALONE], CONTEXT);
  const rows = page.split("\n").filter((line) => line.startsWith("|"));
  strictEqual(
    rows[2],
    "| step-mini | a\\|b | float32 | onnx | 1800 (1750) | 1559 | 1431 (1400) | 2153 | eager | 1.26 |",
  );
  deepStrictEqual(rows.map((row) => row.replaceAll("\\|", "").split("|").length), [12, 12, 12, 12]);
  ok(page.includes("- machine: Abacus 9, 2 cores, 24 GiB; avx2 amx_bf16\n"));
});

Deno.test("writeResults() writes a page and its data as JSON", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeResults(join(folder, "cpu.md"), [STEP], CONTEXT);
    const kept = JSON.parse(await Deno.readTextFile(join(folder, "cpu.json")));
    deepStrictEqual(kept, { ...CONTEXT, results: [STEP] });
    strictEqual(
      await Deno.readTextFile(join(folder, "cpu.md")),
      formatMarkdown([STEP], CONTEXT),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readMicroarchitecture() recognizes AMD and Intel processors by family and model", () => {
  const cpuinfo = (vendor: string, family: number, model: number) =>
    `processor\t: 0\nvendor_id\t: ${vendor}\ncpu family\t: ${family}\nmodel\t\t: ${model}\n` +
    "model name\t: Some Processor\nstepping\t: 1\n";
  // Published examples: EPYC 7742, 7763, 9654, 9755; Xeon 8380, 8480, 8592, 6980; a Core i7-8700.
  const amd = [[23, 49], [25, 1], [25, 17], [26, 2]] as const;
  deepStrictEqual(
    amd.map(([family, model]) => readMicroarchitecture(cpuinfo("AuthenticAMD", family, model))),
    ["Zen 2", "Zen 3", "Zen 4", "Zen 5"],
  );
  deepStrictEqual(
    [106, 143, 207, 173, 158].map((model) =>
      readMicroarchitecture(cpuinfo("GenuineIntel", 6, model))
    ),
    ["Ice Lake", "Sapphire Rapids", "Emerald Rapids", "Granite Rapids", null],
  );
  strictEqual(readMicroarchitecture(cpuinfo("AuthenticAMD", 99, 1)), null);
  strictEqual(readMicroarchitecture("Features : asimd\n"), null);
  strictEqual(readMicroarchitecture(""), null);
});

Deno.test("readFlags() finds whole words of /proc/cpuinfo", () => {
  const cpuinfo = "model name\t: Abacus\nflags\t\t: fpu avx2 avx512f_not amx_bf16\nbugs\t\t: fma\n";
  deepStrictEqual(readFlags(cpuinfo), ["avx2", "amx_bf16"]);
  deepStrictEqual(readFlags("Features : asimd\n"), []);
});
