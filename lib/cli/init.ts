/**
 * `deno task init`: looks at data files and writes a commented configuration that trains on them.
 * @module
 */
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  describeTask,
  formatConfig,
  groupFiles,
  type ProposedTask,
  proposeNamedTask,
} from "@/train/propose_config.ts";
import { isFile, writeFileAtomic } from "@/system/files.ts";
import type { Options } from "./arguments.ts";
import { formatCommand, runTask, type Task } from "./run_task.ts";

const OPTIONS = {
  out: { type: "string", value: "CONFIG", default: "config.json", help: "file to write" },
  model: {
    type: "string",
    value: "DIR|HUB_NAME",
    byDefault: "a small model from scratch",
    help: "pretrained encoder to fine-tune",
  },
  text: { type: "string", value: "COLUMN", help: "column of the texts or words (of every file)" },
  label: { type: "string", value: "COLUMN", help: "column of the labels or tags (of every file)" },
  seed: { type: "string", value: "N", default: "13", help: "seed of the run" },
  yes: { type: "boolean", help: "ask nothing, take what is recognized" },
  overwrite: { type: "boolean", help: "replace CONFIG if it exists" },
} as const satisfies Options;

/** Asks a question in the terminal; an empty answer is the default. */
function ask(question: string, byDefault: string): string {
  return prompt(`${question} [${byDefault}]`)?.trim() || byDefault;
}

/** The task `init`. */
export const INIT = {
  name: "init",
  summary: "Looks at your data files and writes a commented configuration that trains on them.",
  usage: "FILE … [--yes] [--model DIR|HUB_NAME] [--text COLUMN] [--label COLUMN] [--seed N] " +
    "[--out CONFIG] [--overwrite]",
  notes: [
    "FILE is a data file (CSV, TSV, JSON, JSON Lines, Parquet, CoNLL columns), a folder of them or a glob pattern. Files of " +
    "one data set are told by their names: reviews_train.csv and reviews_test.csv are the task reviews. Other files are tasks " +
    "of their own, trained together. In a terminal it asks at most four questions.",
  ],
  options: OPTIONS,
  positionals: { names: ["FILE"], min: 1, max: Infinity },
  async run({ values, positionals }) {
    const { out, yes, overwrite } = values;
    if (!overwrite && await isFile(out)) {
      throw new RangeError(
        `Cannot write ${out}: the file exists; choose another name with --out, or replace it with --overwrite`,
      );
    }
    const seed = Number(values.seed);
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
      throw new RangeError(
        `Cannot use --seed ${values.seed}: it must be an integer from 0 to ${2 ** 32 - 1}`,
      );
    }
    const asks = !yes && Deno.stdin.isTerminal();
    const decided = { input: values.text, output: values.label };
    const tasks: ProposedTask[] = [];
    for (const named of await groupFiles(positionals)) {
      let proposed = await proposeNamedTask(named, { decided, dropInvalid: false, seed });
      for (const line of describeTask(proposed)) console.log(line);
      if (asks && positionals.length === 1) {
        const [input = "", output = ""] = Object.values(proposed.proposal.columns);
        const answers = {
          input: ask("Column of the text", input),
          output: ask("Column of the label", output),
        };
        if (answers.input !== input || answers.output !== output) {
          proposed = await proposeNamedTask(named, { decided: answers, dropInvalid: false, seed });
          for (const line of describeTask(proposed)) console.log(line);
        }
      }
      tasks.push(proposed);
    }
    let model = values.model ?? null;
    if (asks && model === null) {
      const answer = ask(
        "Model to fine-tune: folder or Hub name, or none for a small one from scratch",
        "none",
      );
      model = answer === "none" ? null : answer;
    }
    const schemaFile = new URL("../config/config.schema.json", import.meta.url);
    const schema = relative(dirname(resolve(out)), fileURLToPath(schemaFile)).replaceAll("\\", "/");
    await writeFileAtomic(out, formatConfig(tasks, { out, model, schema, seed }));
    console.log(`wrote ${out}; to train:`);
    console.log(formatCommand("train", ["--config", out]));
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(INIT);
