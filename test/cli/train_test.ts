import { deepStrictEqual } from "node:assert/strict";
import { runTaskWith } from "@/cli/run_task.ts";
import { formatScores } from "@/cli/format_scores.ts";
import { TRAIN } from "@/cli/train.ts";
import { scoreClassification } from "@/eval/classification.ts";
import { scoreEntities } from "@/eval/entities.ts";

/** Runs `deno task train` with invalid `args`; returns exit code and error lines. */
async function fail(...args: string[]): Promise<{ code: number; errors: string[] }> {
  const errors: string[] = [];
  const code = await runTaskWith(TRAIN, args, {
    out: () => {},
    error: (line) => errors.push(line),
    debug: false,
    onInterrupt: () => () => {},
    nowMs: () => 0,
    exit: () => {},
  });
  return { code, errors };
}

const WRONG: readonly (readonly [args: string[], message: string])[] = [
  [
    ["--preset", "big"],
    "config: preset must be one of quickstart, minilm, bert-base: " +
    'current value is "big"',
  ],
  [
    ["--set", "data.folder=x"],
    'config: unknown key "data.folder": known keys are dir, validationRows, maxRows, trainShare, scoreTest, baselines',
  ],
  [["--config", "none.json"], "Cannot read configuration: none.json does not exist"],
  [
    ["--resume", "none"],
    "Cannot read run to resume: none/config.json does not exist",
  ],
  [
    ["--resume", "none", "--seed"],
    "Cannot run train: option --seed is not one of --preset, --config, --set, --model, --data, " +
    "--precision, --out, --resume, --learning-curve, --dry-run, --debug, --help",
  ],
  [
    ["--resume", "none", "--set", "seed=1", "--precision", "float32"],
    "Cannot resume the run with --precision: none already has a configuration. Keys that may change " +
    "can be set with --set, --data and --model",
  ],
];

for (const [args, message] of WRONG) {
  Deno.test(`train ${args.join(" ")} fails with a one-line error and exit code 1`, async () => {
    deepStrictEqual(await fail(...args), { code: 1, errors: [`error: ${message}`] });
  });
}

Deno.test("formatScores() aligns tasks, splits and scores in percent", () => {
  const topics = scoreClassification({ gold: [0, 1], predicted: [0, 1], labels: ["x", "y"] });
  const entities = scoreEntities({ gold: [["B-X", "O"]], predicted: [["I-X", "O"]] });
  deepStrictEqual(formatScores({ ag: { test: topics }, conll: { validation: entities } }), [
    "ag     test        accuracy 100.00 (100.00 to 100.00)  macro-F1 100.00  2 rows",
    "conll  validation  F1 100.00 (100.00 to 100.00)  strict 0.00  precision 100.00  " +
    "recall 100.00  1 rows",
  ]);
});
