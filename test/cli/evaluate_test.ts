import { deepStrictEqual } from "node:assert/strict";
import { join } from "node:path";
import { COMPARE } from "@/cli/compare.ts";
import { EVALUATE } from "@/cli/evaluate.ts";
import { runTaskWith } from "@/cli/run_task.ts";
import { resolveConfig } from "@/config/resolve_config.ts";

const dir = await Deno.makeTempDir();
const config = resolveConfig({ preset: "minilm", file: {} });
await Deno.writeTextFile(join(dir, "config.json"), JSON.stringify(config));
addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

/** Runs a task with `args`; returns its exit code and error lines. */
async function fail(task: typeof EVALUATE | typeof COMPARE, ...args: string[]) {
  const errors: string[] = [];
  const terminal = {
    out: () => {},
    error: (line: string) => errors.push(line),
    debug: false,
    onInterrupt: () => () => {},
    nowMs: () => 0,
    exit: () => {},
  };
  const code = task.name === "evaluate"
    ? await runTaskWith(EVALUATE, args, terminal)
    : await runTaskWith(COMPARE, args, terminal);
  return { code, errors };
}

const WRONG: readonly (readonly [args: string[], message: string])[] = [
  [["none"], "Cannot read run to evaluate: none/config.json does not exist"],
  [[], "Cannot run evaluate: RUN is missing; see --help"],
  [
    ["RUN", "--split", "dev"],
    "Unknown split dev: choose one of validation, test, conllpp",
  ],
  [
    ["RUN", "--split", "test-unseen"],
    "Unknown split test-unseen (it is part of test): choose one of validation, test, conllpp",
  ],
  [
    ["RUN", "--json", "--conlleval"],
    "Cannot run evaluate: --json and --conlleval cannot be combined",
  ],
  [
    ["RUN", "--precision", "float64"],
    "Cannot run evaluate: --precision must be one of float32, mixed-bfloat16, mixed-float16, " +
    "not float64 (did you mean float32?)",
  ],
];

for (const [args, message] of WRONG) {
  Deno.test(`evaluate ${args.join(" ")} fails with a one-line error and exit code 1`, async () => {
    const given = args.map((arg) => arg === "RUN" ? dir : arg);
    deepStrictEqual(await fail(EVALUATE, ...given), { code: 1, errors: [`error: ${message}`] });
  });
}

Deno.test("compare fails with a one-line error and exit code 1 if a run or its predictions are missing", async () => {
  deepStrictEqual(await fail(COMPARE, dir), {
    code: 1,
    errors: ["error: Cannot run compare: second RUN is missing; see --help"],
  });
  deepStrictEqual(await fail(COMPARE, dir, dir), {
    code: 1,
    errors: [
      `error: Cannot compare the runs: ${dir} was saved without predictions (no folder predictions/); ` +
      `if it still has its model, deno task evaluate ${dir} --predictions writes them`,
    ],
  });
});
