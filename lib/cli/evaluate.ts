/**
 * `deno task evaluate`: scores the model of a run.
 * @module
 */
import { join } from "node:path";
import type { TaskConfig } from "@/config.ts";
import { formatConlleval } from "@/eval/conlleval_text.ts";
import { writePredictions } from "@/eval/prediction_files.ts";
import type { PredictionRecord } from "@/eval/prediction_record.ts";
import { isFile, readJson } from "@/files.ts";
import { readSummary } from "@/report/read_parts.ts";
import { resolveConfig } from "@/resolve_config.ts";
import { didYouMean } from "@/suggest.ts";
import { resolvePrompt } from "@/text/prompts.ts";
import { createRunEvaluator, type RunEvaluator, UNSEEN } from "@/train/evaluate_run.ts";
import { encodeEvaluation, type EvaluationTask, loadRunRows } from "@/train/run_data.ts";
import type { Options } from "./arguments.ts";
import { formatScores, type ScoresBySplit } from "./format_scores.ts";
import { runTask, type Task } from "./frame.ts";
import { checkEngineKeys, openModelFor, PRECISION_OPTION, SET_ENGINE } from "./open_engine.ts";
import { createTerminalProgress } from "./progress.ts";

const OPTIONS = {
  split: {
    type: "string",
    value: "NAME",
    default: "test",
    help: "validation, test or a data set of alsoTest; test also scores these and unseen rows",
  },
  data: {
    type: "string",
    value: "DIR",
    byDefault: "as the run was configured",
    help: "folder of the data sets (data.dir)",
  },
  precision: PRECISION_OPTION,
  set: SET_ENGINE,
  conlleval: { type: "boolean", help: "also print conlleval's own table of each tagging task" },
  predictions: {
    type: "boolean",
    help: "write the predictions of all rows into the run's folder, for deno task compare",
  },
  json: { type: "boolean", help: "print the scores as JSON, as in summary.json" },
} as const satisfies Options;

/** Refuses a split that no task has, before anything is loaded. */
function checkSplit(split: string, tasks: readonly TaskConfig[]): void {
  const known = [...new Set(["validation", "test", ...tasks.flatMap(({ alsoTest }) => alsoTest)])];
  if (known.includes(split)) return;
  throw new RangeError(
    `Cannot evaluate as --split must be one of ${known.join(", ")}: current value is ${split}${
      split === UNSEEN ? "; test has it as well" : didYouMean(split, known)
    }`,
  );
}

/** Temperatures that the run fitted on validation, by task; none where it has not ended. */
async function readTemperatures(run: string): Promise<Record<string, number>> {
  const file = join(run, "summary.json");
  if (!await isFile(file)) return {};
  const { scores } = readSummary(await readJson(file, "run"), { file, key: "" });
  return Object.fromEntries(
    Object.entries(scores).flatMap(([task, { validation }]) =>
      validation && "temperature" in validation && validation.temperature !== undefined
        ? [[task, validation.temperature] as const]
        : []
    ),
  );
}

/** Scores of `split`; test brings further test sets and unseen rows with it. */
async function scoreSplit(evaluator: RunEvaluator, split: string): Promise<ScoresBySplit> {
  if (split === "test") return await evaluator.evaluateTests();
  const scores = Object.entries(await evaluator.evaluate(split));
  return Object.fromEntries(scores.map(([task, found]) => [task, { [split]: found }]));
}

/** conlleval's table, under the task and split that it is of; nothing for a classification. */
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
  summary: "Scores the model of a run on its data sets.",
  usage: "RUN [--split NAME] [--data DIR] [--precision P] [--set KEY=VALUE …] [--conlleval] " +
    "[--predictions] [--json]",
  options: OPTIONS,
  positionals: { names: ["RUN"], min: 1, max: 1 },
  async run({ values, positionals: [run = ""] }) {
    const { split, data, precision, json } = values;
    if (json && values.conlleval) {
      throw new RangeError("Cannot run evaluate as --json must stand without --conlleval");
    }
    const config = resolveConfig({
      file: await readJson(join(run, "config.json"), "run to evaluate"),
      set: checkEngineKeys("evaluate", values.set),
      shortcuts: { data, precision },
    });
    checkSplit(split, config.tasks);
    const temperatures = await readTemperatures(run);
    const { set } = values;
    using model = await openModelFor(run, { task: "evaluate", engine: config, set });
    const { tokenizer, settings: { maxLength, prompts } } = model;
    const prompt = resolvePrompt(prompts);
    const tasks: EvaluationTask[] = [];
    for (const task of await loadRunRows(config)) {
      tasks.push(await encodeEvaluation(task, { tokenizer, maxLength, prompt }));
    }
    const view = createTerminalProgress();
    const records: PredictionRecord[] = [];
    const evaluator = createRunEvaluator(tasks, {
      predictorOf: (task) => model.predictorOf(task, config.training.lengths),
      view,
      temperatures,
      onPredictions: (record) => Promise.resolve(records.push(record)),
    });
    const scores = await scoreSplit(evaluator, split);
    await view.finish();
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
