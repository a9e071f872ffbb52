import { deepStrictEqual } from "node:assert/strict";
import { join } from "node:path";
import { COMPARE } from "@/cli/compare.ts";
import { EVALUATE } from "@/cli/evaluate.ts";
import { runTaskWith } from "@/cli/frame.ts";
import { resolveConfig } from "@/resolve_config.ts";

const dir = await Deno.makeTempDir();
const config = resolveConfig({ preset: "minilm", file: {} });
await Deno.writeTextFile(join(dir, "config.json"), JSON.stringify(config));
addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

/** Exit code and error lines of a task with `args`. */
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
  [["none"], "Cannot read run to evaluate as none/config.json does not exist"],
  [[], "Cannot run evaluate as RUN must be given: see --help"],
  [
    ["RUN", "--split", "dev"],
    "Cannot evaluate as split must be one of validation, test, conllpp: current value is dev",
  ],
  [
    ["RUN", "--split", "test-unseen"],
    "Cannot evaluate as split must be one of validation, test, conllpp: current value is " +
    "test-unseen; test has it as well",
  ],
  [
    ["RUN", "--json", "--conlleval"],
    "Cannot run evaluate as --json must stand without --conlleval",
  ],
  [
    ["RUN", "--precision", "float64"],
    "Cannot run evaluate as --precision must be one of float32, mixed-bfloat16, mixed-float16: " +
    "current value is float64 (did you mean float32?)",
  ],
];

for (const [args, message] of WRONG) {
  Deno.test(`evaluate ${args.join(" ")} ends with one line and exit code 1`, async () => {
    const given = args.map((arg) => arg === "RUN" ? dir : arg);
    deepStrictEqual(await fail(EVALUATE, ...given), { code: 1, errors: [`error: ${message}`] });
  });
}

Deno.test("compare ends with one line and exit code 1 where a run or its predictions are missing", async () => {
  deepStrictEqual(await fail(COMPARE, dir), {
    code: 1,
    errors: ["error: Cannot run compare as a second RUN must be given: see --help"],
  });
  deepStrictEqual(await fail(COMPARE, dir, dir), {
    code: 1,
    errors: [
      `error: Cannot compare the runs: ${dir} was saved without predictions (no folder predictions/); ` +
      `if it still has its model, deno task evaluate ${dir} --predictions writes them`,
    ],
  });
});
