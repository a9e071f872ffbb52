/**
 * `deno task evaluate`: evaluates the model of a run.
 * @module
 */
import { join } from "node:path";
import { type PredictionRecord, writePredictions } from "@/eval/prediction_record.ts";
import { formatConlleval } from "@/eval/entities.ts";
import { checkSplit, scoreRun } from "@/export/score_run.ts";
import { readJson } from "@/system/files.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import type { Options } from "./arguments.ts";
import { formatScores } from "./format_scores.ts";
import { runTask, type Task } from "./run_task.ts";
import { checkEngineKeys, openModelFor, PRECISION_OPTION, SET_ENGINE } from "./open_engine.ts";
import { createTerminalProgress } from "./terminal_progress.ts";

const OPTIONS = {
  split: {
    type: "string",
    value: "NAME",
    default: "test",
    help: "validation, test or a data set of alsoTest; test includes these and the unseen rows",
  },
  data: {
    type: "string",
    value: "DIR",
    byDefault: "as the run was configured",
    help: "folder of the data sets (data.dir)",
  },
  precision: PRECISION_OPTION,
  set: SET_ENGINE,
  conlleval: { type: "boolean", help: "also print conlleval's table for each tagging task" },
  predictions: {
    type: "boolean",
    help: "save the predictions of all rows in the run's folder, for deno task compare",
  },
  json: { type: "boolean", help: "print the scores as JSON, as in summary.json" },
} as const satisfies Options;

/** Formats conlleval's table with task and split as its title; empty for classification tasks. */
function printConlleval(record: PredictionRecord): string[] {
  if (record.kind !== "tagging") return [];
  const name = (rows: readonly (readonly number[])[]) =>
    rows.map((tags) => tags.map((tag) => record.labels[tag] ?? "O"));
  const table = formatConlleval({ gold: name(record.gold), predicted: name(record.predicted) });
  return ["", `${record.task} ${record.split}`, table];
}

/** The task `evaluate`. */
export const EVALUATE = {
  name: "evaluate",
  summary: "Evaluates the model of a run on its data sets.",
  usage: "RUN [--split NAME] [--data DIR] [--precision P] [--set KEY=VALUE …] [--conlleval] " +
    "[--predictions] [--json]",
  options: OPTIONS,
  positionals: { names: ["RUN"], min: 1, max: 1 },
  async run({ values, positionals: [run = ""] }) {
    const { split, data, precision, json } = values;
    if (json && values.conlleval) {
      throw new RangeError("Cannot run evaluate: --json and --conlleval cannot be combined");
    }
    const config = resolveConfig({
      file: await readJson(join(run, "config.json"), "run to evaluate"),
      set: checkEngineKeys("evaluate", values.set),
      shortcuts: { data, precision },
    });
    const { set } = values;
    checkSplit(split, config.tasks);
    using model = await openModelFor(run, { task: "evaluate", engine: config, set });
    const records: PredictionRecord[] = [];
    const scores = await scoreRun(model, {
      run,
      config,
      split,
      view: createTerminalProgress(),
      onPredictions: (record) => records.push(record),
    });
    for (const line of json ? [JSON.stringify(scores, null, 2)] : formatScores(scores)) {
      console.log(line);
    }
    if (values.conlleval) { for (const line of records.flatMap(printConlleval)) console.log(line); }
    if (values.predictions) {
      for (const record of records) {
        console.error(`${join(run, await writePredictions(run, record))}`);
      }
    }
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(EVALUATE);
