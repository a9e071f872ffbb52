/**
 * Reads a file of texts, predicts them all, and adds the predictions to the table.
 * @module
 */
import { LIMITS, type ModelInfo } from "@/app/contract.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import { decodeText, splitLines } from "@/plain_text.ts";
import { BusyError, type ModelClient, type RequestOptions } from "./model_client.ts";
import { parseCsv } from "./page_csv.ts";
import { cutText } from "./page_state.ts";

/** Largest file in MiB, since the table and its predictions are held in the browser's memory. */
export const MAX_MIB = 50;

/** Texts per request: enough for full batches, few enough for a smooth progress bar. */
const REQUEST_TEXTS = 16;

/** Largest size of a request's texts in bytes; half the server's limit, which leaves room for JSON escapes. */
const REQUEST_BYTES = LIMITS.bodyBytes / 2;

/** Number of retries while the server is busy. */
const RETRIES = 5;

/** Content of a file. */
export type TextTable = {
  readonly rows: readonly (readonly string[])[];
  /** True if the file is a table, false if it has one text per line. */
  readonly isTable: boolean;
  readonly delimiter: string;
};

/** Reads a file as a table if its extension is .csv or .tsv, else as one text per line. */
export function readTable(name: string, bytes: Uint8Array): TextTable {
  if (/\.(xlsx?|ods|numbers)$/i.test(name)) {
    throw new RangeError(
      `Cannot read ${name}: it is a spreadsheet; save it as CSV (UTF-8) first`,
    );
  }
  const text = decodeText(bytes, { what: "file", name });
  const isTable = /\.(csv|tsv)$/i.test(name);
  const { rows, delimiter } = isTable
    ? parseCsv(text)
    : { rows: splitLines(text).map((line) => [line]), delimiter: "," };
  if (rows.length > 0) return { rows, isTable, delimiter };
  throw new RangeError(`Cannot read ${name}: the file is empty`);
}

/** True if the first row looks like column names: short, not empty, not numeric. */
export function guessHeader({ rows, isTable }: TextTable): boolean {
  const [first = []] = rows;
  return isTable &&
    first.every((cell) => /^(?=.*\S).{1,40}$/.test(cell) && !/^[-\d.,\s]+$/.test(cell));
}

/** Guesses the index of the text column: by its name, else the one with the longest cells. */
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

/** Groups texts into requests that the server accepts; yields the indices of each group. */
function* planRequests(texts: readonly string[]): Generator<readonly number[]> {
  const encoder = new TextEncoder();
  let request: number[] = [], bytes = 0;
  for (const [i, text] of texts.entries()) {
    if (text.trim() === "") continue; // blank texts get no prediction
    const size = encoder.encode(JSON.stringify(text)).length;
    if (
      request.length === REQUEST_TEXTS || (request.length > 0 && bytes + size > REQUEST_BYTES)
    ) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(i);
    bytes += size;
  }
  if (request.length > 0) yield request;
}

/** Options of {@link predictAll}. */
type PredictAllOptions = RequestOptions & {
  readonly client: Pick<ModelClient, "predict">;
  /** Called with the number of finished texts. */
  readonly onDone: (done: number) => void;
  /** Waits before a retry. */
  readonly wait: (ms: number) => Promise<void>;
};

/** Predicts each text; null for blank texts. Texts beyond the length limit are cut. */
export async function predictAll(
  texts: readonly string[],
  { client, run, signal, onDone, wait }: PredictAllOptions,
): Promise<readonly (TextPrediction | null)[]> {
  const cut = texts.map(cutText);
  const found: (TextPrediction | null)[] = texts.map(() => null);
  for (const request of planRequests(cut)) {
    const batch = request.map((i) => cut[i] ?? "");
    for (let tries = 0;; tries++) {
      signal.throwIfAborted();
      try {
        const { predictions } = await client.predict(batch, { run, signal });
        request.forEach((row, i) => found[row] = predictions[i] ?? null);
        break;
      } catch (error) {
        if (!(error instanceof BusyError) || tries === RETRIES) throw error;
        await wait(1000 * 2 ** tries);
      }
    }
    onDone((request.at(-1) ?? 0) + 1);
  }
  onDone(texts.length);
  return found;
}

/** Cells to add to a row, one or two per task. */
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

/** Adds the predictions to a table as columns at its end. */
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
