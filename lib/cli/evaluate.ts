/**
 * `deno task evaluate`: scores the model of a run.
 * @module
 */
import { join } from "node:path";
import { PRECISIONS } from "@/config.ts";
import { openEngineFor } from "@/cli/open_engine.ts";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { readJson } from "@/files.ts";
import { resolveConfig } from "@/resolve_config.ts";
import { createRunEvaluator } from "@/train/evaluate_run.ts";
import { encodeEvaluation, type EvaluationTask, loadRunRows } from "@/train/run_data.ts";
import { formatScores, type ScoresBySplit } from "./format_scores.ts";
import { runTask } from "./frame.ts";
import { createTerminalProgress } from "./progress.ts";

/** Refuses a split that no task has. */
function checkSplit(split: string, tasks: readonly EvaluationTask[]): void {
  const known = new Set(tasks.flatMap(({ evaluation }) => [...evaluation.keys()]));
  if (!known.has(split)) {
    throw new RangeError(
      `Cannot evaluate as --split must be one of ${
        [...known].join(", ")
      }: current value is ${split}`,
    );
  }
}

if (import.meta.main) {
  await runTask({
    name: "evaluate",
    summary: "Scores the model of a run; test includes further test sets and unseen rows.",
    usage: "RUN [--split test] [--data DIR] [--precision P] [--json]",
    options: {
      split: {
        type: "string",
        value: "NAME",
        default: "test",
        help: "validation, test or a data set of alsoTest",
      },
      data: { type: "string", value: "DIR", help: "where the data sets are now: data.dir" },
      precision: {
        type: "string",
        choices: PRECISIONS,
        default: "float32",
        help: "of the numbers",
      },
      json: { type: "boolean", help: "print the scores as summary.json holds them" },
    },
    positionals: { names: ["RUN"], min: 1, max: 1 },
    async run({ values: { split, data, precision, json }, positionals: [run = ""] }) {
      const config = resolveConfig({
        file: await readJson(join(run, "config.json"), "run to evaluate"),
        shortcuts: { data, precision },
      });
      await openEngineFor(config);
      const { model, tokenizer, maxLength } = await openSavedModel(run);
      const tasks: EvaluationTask[] = [];
      for (const task of await loadRunRows(config)) {
        tasks.push(await encodeEvaluation(task, { tokenizer, maxLength }));
      }
      checkSplit(split, tasks);
      const view = createTerminalProgress();
      const { lengths } = config.training;
      const evaluator = createRunEvaluator(model, tasks, { tokenizer, lengths, view });
      let scores: ScoresBySplit;
      if (split === "test") scores = await evaluator.evaluateTests();
      else {
        scores = Object.fromEntries(
          Object.entries(await evaluator.evaluate(split)).map(([task, own]) => [task, {
            [split]: own,
          }]),
        );
      }
      await view.finish();
      for (const line of json ? [JSON.stringify(scores, null, 2)] : formatScores(scores)) {
        console.log(line);
      }
    },
  });
}
