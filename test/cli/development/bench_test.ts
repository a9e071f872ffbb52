import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { BENCH } from "../../../lib/cli/development/bench.ts";
import { runTaskWith } from "../../../lib/cli/run_task.ts";

/** Runs the task with `args`, which must fail, and returns its error. */
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

Deno.test("bench rejects invalid arguments before it measures anything", async () => {
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
      "error: Cannot run bench: --rounds must be an integer of at least 1, not 0",
      "error: Cannot run bench: --steps must be an integer of at least 1, not many",
      "error: Cannot run bench: --variant can only set device, executor, native.isa, native.threads, tensor",
      "error: Cannot run bench: --variant can only set device, executor, native.isa, native.threads, tensor",
      'error: config: precision must be one of float32, mixed-bfloat16, mixed-float16: current value is "fl',
      'error: config: unknown key "threads" (did you mean native.threads?)',
    ],
  );
});
