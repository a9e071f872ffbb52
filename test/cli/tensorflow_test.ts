import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { EVALUATE } from "@/cli/evaluate.ts";
import { runTaskWith } from "@/cli/run_task.ts";
import { readEngineChoice } from "@/cli/open_engine.ts";
import { formatDevice, TENSORFLOW } from "@/cli/tensorflow.ts";
import { resolveConfig } from "@/config/resolve_config.ts";

const dir = await Deno.makeTempDir();
await Deno.writeTextFile(`${dir}/config.json`, JSON.stringify(resolveConfig()));
addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

/** Runs a task; returns its exit code and error lines. */
async function fail(run: (terminal: Parameters<typeof runTaskWith>[2]) => Promise<number>) {
  const errors: string[] = [];
  const code = await run({
    out: () => {},
    error: (line) => errors.push(line),
    debug: false,
    onInterrupt: () => () => {},
    nowMs: () => 0,
    exit: () => {},
  });
  return { code, errors };
}

Deno.test("tensorflow and --set device=tensorflow say in one line what to install if there is no library", async () => {
  const wanted = new RegExp(
    "^error: Cannot open device tensorflow: tensorflow.library must be the folder of a TensorFlow " +
      `library, but none was found in "${dir}"; install one with \`python3 -m pip install '\\S+==2\\.21\\.0'\``,
  );
  const ended = [
    await fail((terminal) => runTaskWith(TENSORFLOW, ["--library", dir], terminal)),
    await fail((terminal) =>
      runTaskWith(EVALUATE, [
        ...[dir, "--set", "device=tensorflow"],
        ...["--set", `tensorflow.library=${dir}`],
      ], terminal)
    ),
  ];
  for (const { code, errors } of ended) {
    strictEqual(code, 1);
    strictEqual(errors.length, 1);
    match(errors[0] ?? "", wanted);
  }
});

Deno.test("evaluate --set accepts keys of the device, but none of the run", async () => {
  deepStrictEqual(
    await fail((terminal) => runTaskWith(EVALUATE, [dir, "--set", "model.pooling=cls"], terminal)),
    {
      code: 1,
      errors: [
        "error: Cannot run evaluate: --set can only set keys of device, executor, native, tensorflow, " +
        "not model.pooling=cls",
      ],
    },
  );
});

Deno.test("readEngineChoice() applies --set to the defaults", () => {
  deepStrictEqual(
    readEngineChoice("encode", [
      ...["device=tensorflow", "native.threads=3", "tensorflow.library=folder"],
    ]),
    {
      device: "tensorflow",
      executor: "auto",
      native: { isa: null, threads: 3 },
      tensorflow: { library: "folder" },
    },
  );
});

Deno.test("tensorflow prints what it found, and a note if the GPU is not used", () => {
  const opened = {
    library: { api: "lib.so", framework: "framework.so", headers: "include", source: "TF_LIB" },
    binding: { path: "binding.so", builtBy: null },
    version: "2.21.0",
    processor: "CPU",
    threads: 2,
  } as const;
  const trials = [
    { precision: "float32", refusal: null, error: 4e-5, gflops: 120.4 },
    { precision: "mixed-float16", refusal: "no", error: NaN, gflops: 0 },
  ] as const;
  const system = { os: "linux", arch: "x86_64", hasNvidiaGpu: false };
  const lines = formatDevice(opened, trials, system);
  deepStrictEqual(lines, [
    "library         lib.so, TensorFlow 2.21.0, found by TF_LIB",
    "binding         binding.so, built before",
    "processor       CPU, 2 threads",
    "float32         error 4e-5, 120 GFLOP/s at 512 × 512",
    "mixed-float16   no",
    "Ready: --set device=tensorflow",
  ]);
  const withGpu = formatDevice(opened, trials, { ...system, hasNvidiaGpu: true });
  strictEqual(withGpu.length, lines.length + 1);
  ok(withGpu.at(-2)?.includes("tensorflow[and-cuda]==2.21.0"));
});
