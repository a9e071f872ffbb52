/**
 * Predictions for all texts of a file: the table to read, and the table with the predictions added.
 * @module
 */
import type { ModelInfo } from "@/app/contract.ts";
import { LIMITS } from "@/app/limits.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import { decodeText, splitLines } from "@/plain_text.ts";
import { type Answerer, type AskOptions, BusyError } from "./answerer.ts";
import { parseCsv } from "./csv.ts";
import { cutText } from "./page_state.ts";

/** Largest file, in MiB; the table and its predictions stay in the browser's memory. */
export const MOST_MIB = 50;

/** Texts of a question: enough for full batches, few enough for a smooth progress bar. */
const QUESTION_TEXTS = 16;

/** Bytes of a question's texts; the server takes more, and JSON adds its escapes. */
const QUESTION_BYTES = LIMITS.bodyBytes / 2;

/** Times that a question is asked again while the server is busy. */
const RETRIES = 5;

/** A file's content. */
export type TextTable = {
  readonly rows: readonly (readonly string[])[];
  /** True if the file is a table of cells, not one of lines. */
  readonly isTable: boolean;
  readonly delimiter: string;
};

/** The rows of a file: cells of a table by its name's ending, else lines of text. */
export function readTable(name: string, bytes: Uint8Array): TextTable {
  if (/\.(xlsx?|ods|numbers)$/i.test(name)) {
    throw new RangeError(
      `Cannot read file as ${name} must be CSV or text: it is a spreadsheet; save it as CSV (UTF-8) first`,
    );
  }
  const text = decodeText(bytes, { what: "file", name });
  const isTable = /\.(csv|tsv)$/i.test(name);
  const { rows, delimiter } = isTable
    ? parseCsv(text)
    : { rows: splitLines(text).map((line) => [line]), delimiter: "," };
  if (rows.length > 0) return { rows, isTable, delimiter };
  throw new RangeError(`Cannot read file as ${name} must hold a text: it is empty`);
}

/** True if the first row looks like names of columns: short, not empty, no numbers. */
export function guessHeader({ rows, isTable }: TextTable): boolean {
  const [first = []] = rows;
  return isTable &&
    first.every((cell) => /^(?=.*\S).{1,40}$/.test(cell) && !/^[-\d.,\s]+$/.test(cell));
}

/** Index of the column that looks like texts: by its name, else the one with the longest cells. */
export function guessColumn({ rows }: TextTable, hasHeader: boolean): number {
  const [first = []] = rows;
  const named = first.findIndex((cell) =>
    /^(text|sentence|content|review|message|comment|body|description)s?$/i.test(cell.trim())
  );
  if (hasHeader && named >= 0) return named;
  const sizes = first.map((_, column) =>
    rows.slice(hasHeader ? 1 : 0).reduce((sum, row) => sum + (row[column]?.length ?? 0), 0)
  );
  return Math.max(0, sizes.indexOf(Math.max(...sizes)));
}

/** Texts in questions that the server takes. */
function* planQuestions(texts: readonly string[]): Generator<readonly number[]> {
  const encoder = new TextEncoder();
  let question: number[] = [], bytes = 0;
  for (const [i, text] of texts.entries()) {
    if (text.trim() === "") continue; // a blank text has no prediction
    const size = encoder.encode(JSON.stringify(text)).length;
    if (
      question.length === QUESTION_TEXTS || (question.length > 0 && bytes + size > QUESTION_BYTES)
    ) {
      yield question;
      question = [];
      bytes = 0;
    }
    question.push(i);
    bytes += size;
  }
  if (question.length > 0) yield question;
}

/** How texts are predicted. */
export type PredictOptions = AskOptions & {
  readonly answerer: Pick<Answerer, "predict">;
  /** Told how many texts are done. */
  readonly onDone: (done: number) => void;
  /** Waits before a question is asked again. */
  readonly wait: (ms: number) => Promise<void>;
};

/** A prediction for each text; null for a blank one. Texts beyond the limit are cut. */
export async function predictAll(
  texts: readonly string[],
  { answerer, run, signal, onDone, wait }: PredictOptions,
): Promise<readonly (TextPrediction | null)[]> {
  const cut = texts.map(cutText);
  const found: (TextPrediction | null)[] = texts.map(() => null);
  for (const question of planQuestions(cut)) {
    const asked = question.map((i) => cut[i] ?? "");
    for (let tries = 0;; tries++) {
      signal.throwIfAborted();
      try {
        const { predictions } = await answerer.predict(asked, { run, signal });
        question.forEach((row, i) => found[row] = predictions[i] ?? null);
        break;
      } catch (error) {
        if (!(error instanceof BusyError) || tries === RETRIES) throw error;
        await wait(1000 * 2 ** tries);
      }
    }
    onDone((question.at(-1) ?? 0) + 1);
  }
  onDone(texts.length);
  return found;
}

/** Cells that are added to a row, by column. */
function listCells(
  prediction: TextPrediction | null,
  { tasks }: Pick<ModelInfo, "tasks">,
): readonly string[] {
  return tasks.flatMap(({ name, kind }) => {
    if (kind === "tagging") {
      const entities = prediction?.entities[name];
      return [entities === undefined ? "" : JSON.stringify(entities)];
    }
    const found = prediction?.labels[name];
    return found === undefined
      ? ["", ""]
      : [found.label, String(Number(found.probability.toFixed(6)))];
  });
}

/** The table with the predictions in columns at its end. */
export function addPredictions(
  { rows }: TextTable,
  { predictions, hasHeader, model }: {
    readonly predictions: readonly (TextPrediction | null)[];
    readonly hasHeader: boolean;
    readonly model: Pick<ModelInfo, "tasks">;
  },
): readonly (readonly string[])[] {
  const width = rows[0]?.length ?? 0;
  const header = hasHeader
    ? rows[0] ?? []
    : width === 1
    ? ["text"]
    : Array.from({ length: width }, (_, i) => `column_${i + 1}`);
  const taken = new Set(header);
  const unique = (name: string): string => {
    let free = name;
    for (let count = 2; taken.has(free); count++) free = `${name}_${count}`;
    taken.add(free);
    return free;
  };
  const added = model.tasks.flatMap(({ name, kind }) =>
    kind === "tagging"
      ? [unique(`predicted_${name}`)]
      : [unique(`predicted_${name}`), unique(`predicted_${name}_probability`)]
  );
  return [
    [...header, ...added],
    ...rows.slice(hasHeader ? 1 : 0).map((row, i) => [
      ...row,
      ...listCells(predictions[i] ?? null, model),
    ]),
  ];
}
