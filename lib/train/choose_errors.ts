/**
 * Wrong predictions of a run on its main split, with their texts. They are saved in the run as `errors.jsonl`, so
 * that its report can show them without model or data.
 * @module
 */
import { join } from "node:path";
import type { RunConfig } from "@/config/config.ts";
import { mayShowTexts } from "@/data/text_rights.ts";
import type { PredictionRecord } from "@/eval/prediction_record.ts";
import { listClassifiedTexts, listMistagged, pickMisclassified } from "@/eval/prediction_errors.ts";
import { writeFileAtomic } from "@/system/files.ts";
import type { EvaluationTask } from "@/train/run_data.ts";

/** Name of the file in the run folder. */
export const ERRORS_FILE = "errors.jsonl";

/** Maximum number of wrong predictions per task. */
const MAX_ERRORS = 20;

/** Maximum length of a text, in characters; longer texts are shortened. */
const MAX_CHARACTERS = 2000;

/** A wrong prediction: one line of `errors.jsonl`. */
export type PredictionError =
  & { readonly task: string; readonly split: string }
  & (
    | {
      readonly kind: "classification";
      readonly text: string;
      /** Class name. */
      readonly gold: string;
      readonly predicted: string;
      /** Probability of the predicted class. */
      readonly probability: number;
    }
    | {
      readonly kind: "tagging";
      readonly words: readonly string[];
      /** BIO tag of each word. */
      readonly gold: readonly string[];
      readonly predicted: readonly string[];
    }
  );

/**
 * Selects wrong predictions of each task whose texts may be published. They come from the test split, or from
 * validation if test was not scored. Classification errors are sorted by the model's confidence, tagging errors by
 * the number of errors in the sentence, in descending order.
 */
export function chooseErrors(
  { data }: Pick<RunConfig, "data">,
  tasks: readonly EvaluationTask[],
  records: readonly PredictionRecord[],
): readonly PredictionError[] {
  const split = data.scoreTest ? "test" : "validation";
  return tasks.flatMap(({ task, evaluation }): readonly PredictionError[] => {
    const record = records.find((each) => each.task === task.name && each.split === split);
    const rows = evaluation.get(split)?.rows;
    if (record === undefined || rows === undefined || !mayShowTexts(task, data.dir)) return [];
    const place = { task: task.name, split };
    if (record.kind === "classification") {
      return pickMisclassified(listClassifiedTexts(record, rows)).slice(0, MAX_ERRORS)
        .map(({ text, ...rest }) => ({
          ...place,
          kind: record.kind,
          text: shorten(text),
          ...rest,
        }));
    }
    return listMistagged(record, rows)
      .toSorted((a, b) => b.errors.length - a.errors.length).slice(0, MAX_ERRORS)
      .map(({ errors: _errors, ...rest }) => ({ ...place, kind: record.kind, ...rest }));
  });
}

function shorten(text: string): string {
  const letters = [...text];
  return letters.length <= MAX_CHARACTERS ? text : `${letters.slice(0, MAX_CHARACTERS).join("")}…`;
}

/** Writes wrong predictions into a run folder. */
export async function writeErrors(run: string, errors: readonly PredictionError[]): Promise<void> {
  const lines = errors.map((error) => JSON.stringify(error) + "\n");
  await writeFileAtomic(join(run, ERRORS_FILE), lines.join(""));
}
