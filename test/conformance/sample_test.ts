import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { EXCLUSIONS } from "./exclusions.ts";
import { countSpecs, failedSpecs, type SpecRecord } from "./records.ts";
import { findCore, findTestFiles } from "./stage.ts";
import { startFiles } from "./start_files.ts";

/** At least one file for each file of kernels and for fallbacks. `deno task conformance` runs all files. */
const SAMPLE = [
  "add",
  "arg_max",
  "arithmetic",
  "clip_by_value",
  "concat",
  "cumsum",
  "einsum",
  "elu",
  "equal",
  "exp",
  "fused/fused_mat_mul",
  "gather",
  "gather_nd",
  "log_sum_exp",
  "mat_mul",
  "max",
  "one_hot",
  "pad",
  "prod",
  "reverse",
  "scatter_nd",
  "slice",
  "softmax",
  "stack",
  "strided_slice",
  "string_to_hash_bucket_fast",
  "topk",
  "transpose",
  "unsorted_segment_sum",
  "where",
];

Deno.test("a sample of TensorFlow.js's own tests passes on the engine", async () => {
  const all = findTestFiles(findCore());
  const files = all.filter((file) => SAMPLE.some((name) => file.endsWith(`ops/${name}_test.js`)));
  ok(files.length >= 25, `files of the sample: ${files}`);
  const records = await startFiles("onnx", [...files, "gradients_test.js"]);
  deepStrictEqual(failedSpecs(records), []);
  const counts = countSpecs(records);
  ok(counts.compiled.passed > 400, `specs of compiled operations: ${counts.compiled.passed}`);
  ok(counts.fallback.passed > 10, `specs that fall back: ${counts.fallback.passed}`);
});

Deno.test({
  name: "a sample of TensorFlow.js's own tests passes on generated C",
  ignore: findCompiler() === null,
  async fn() {
    const files = ["arithmetic", "arg_max", "softmax", "mat_mul", "transpose", "gather", "sum"];
    const records = await startFiles("native", files.map((name) => `ops/${name}_test.js`));
    deepStrictEqual(failedSpecs(records), []);
    const counts = countSpecs(records);
    ok(counts.compiled.passed > 150, `specs of C alone: ${counts.compiled.passed}`);
  },
});

Deno.test("every exclusion names a file of TensorFlow.js and gives its reason", () => {
  const all = findTestFiles(findCore());
  strictEqual(all.length, 265); // 219 of operations
  for (const { file, reason } of EXCLUSIONS) {
    ok(all.includes(file), file);
    ok(reason.length > 20, reason);
  }
});

Deno.test("a spec counts as compiled only if none of its operations fell back", () => {
  const spec = (compiled: string[], fallback: string[], failures: string[]): SpecRecord => ({
    kind: "spec",
    file: "f",
    name: "n",
    compiled,
    fallback,
    failures,
  });
  const records = [
    spec(["Add"], [], []),
    spec(["Add"], ["FFT"], []),
    spec([], [], ["no"]),
    { kind: "pending", file: "f", name: "p" } as const,
  ];
  deepStrictEqual(countSpecs(records), {
    compiled: { passed: 1, failed: 0 },
    fallback: { passed: 1, failed: 0 },
    none: { passed: 0, failed: 1 },
  });
});
