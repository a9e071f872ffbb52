import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { BENCH } from "../../lib/cli/bench.ts";
import { runTaskWith } from "../../lib/cli/frame.ts";

/** The code and the error of the task under `args`. */
async function fail(...args: readonly string[]) {
  const errors: string[] = [];
  const code = await runTaskWith(BENCH, args, {
    out: () => {},
    error: (line) => errors.push(line),
    debug: false,
    onInterrupt: () => () => {},
    nowMs: () => 0,
    exit: () => {},
  });
  strictEqual(code, 1);
  return errors.join("\n");
}

Deno.test("bench refuses what it does not know before it measures anything", async () => {
  deepStrictEqual(
    [
      await fail("step-tiny"),
      await fail("ops", "--rounds", "0"),
      await fail("ops", "--steps", "many"),
      await fail("ops", "--variant", "executor=onnx,model.source=x"),
      await fail("ops", "--variant", "native.isa"),
      await fail("ops", "--set", "precision=float8"),
      await fail("ops", "--set", "threads=2"),
    ].map((error) => error.slice(0, 100)),
    [
      "error: Cannot run bench: there is no benchmark step-tiny (did you mean step-mini?)",
      "error: Cannot run bench as --rounds must be a whole number from 1: current value is 0",
      "error: Cannot run bench as --steps must be a whole number from 1: current value is many",
      "error: Cannot run bench as --variant must set device, executor, native.isa, native.threads, tensorfl",
      "error: Cannot run bench as --variant must set device, executor, native.isa, native.threads, tensorfl",
      'error: config: precision must be one of float32, mixed-bfloat16, mixed-float16: current value is "fl',
      'error: config: unknown key "threads" (did you mean native.threads?)',
    ],
  );
});
