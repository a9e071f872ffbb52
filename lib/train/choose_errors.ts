/**
 * Wrong answers of a run on its main split, with their texts: written as `errors.jsonl` with the run, so that
 * its report can show them without model or data.
 * @module
 */
import { join } from "node:path";
import type { RunConfig } from "@/config.ts";
import { mayShowTexts } from "@/data/text_rights.ts";
import type { PredictionRecord } from "@/eval/prediction_record.ts";
import { listAnswers, listWrongSentences, pickWrong } from "@/eval/wrong_answers.ts";
import { writeFileAtomic } from "@/files.ts";
import type { EvaluationTask } from "@/train/run_data.ts";

/** Name of the file in a run's folder. */
export const ERRORS_FILE = "errors.jsonl";

/** Wrong answers kept of a task. */
const MOST = 20;

/** Characters kept of a text. */
const LONGEST = 2000;

/** A wrong answer: one line of `errors.jsonl`. */
export type WrongAnswer =
  & { readonly task: string; readonly split: string }
  & (
    | {
      readonly kind: "classification";
      readonly text: string;
      /** Names of classes. */
      readonly gold: string;
      readonly predicted: string;
      /** Of the predicted class. */
      readonly probability: number;
    }
    | {
      readonly kind: "tagging";
      readonly words: readonly string[];
      /** BIO tags by name, one a word. */
      readonly gold: readonly string[];
      readonly predicted: readonly string[];
    }
  );

/**
 * Wrong answers of each task whose texts may be shown, on test or, where test was not scored, on validation.
 * Of a classification those come first that the model was surest of, of a tagging those with most errors.
 */
export function chooseErrors(
  { data }: Pick<RunConfig, "data">,
  tasks: readonly EvaluationTask[],
  records: readonly PredictionRecord[],
): readonly WrongAnswer[] {
  const split = data.scoreTest ? "test" : "validation";
  return tasks.flatMap(({ task, evaluation }): readonly WrongAnswer[] => {
    const record = records.find((each) => each.task === task.name && each.split === split);
    const rows = evaluation.get(split)?.rows;
    if (record === undefined || rows === undefined || !mayShowTexts(task, data.dir)) return [];
    const place = { task: task.name, split };
    if (record.kind === "classification") {
      return pickWrong(listAnswers(record, rows)).slice(0, MOST)
        .map(({ text, ...rest }) => ({
          ...place,
          kind: record.kind,
          text: shorten(text),
          ...rest,
        }));
    }
    return listWrongSentences(record, rows)
      .toSorted((a, b) => b.errors.length - a.errors.length).slice(0, MOST)
      .map(({ errors: _errors, ...rest }) => ({ ...place, kind: record.kind, ...rest }));
  });
}

function shorten(text: string): string {
  const letters = [...text];
  return letters.length <= LONGEST ? text : `${letters.slice(0, LONGEST).join("")}…`;
}

/** Writes wrong answers into the folder of a run. */
export async function writeErrors(run: string, errors: readonly WrongAnswer[]): Promise<void> {
  const lines = errors.map((error) => JSON.stringify(error) + "\n");
  await writeFileAtomic(join(run, ERRORS_FILE), lines.join(""));
}
