/**
 * JSON and JSON Lines: records with named fields, and the forms in which annotation tools store labeled character spans.
 * @module
 */

import { normalizeRecord } from "./span_records.ts";
import { HEAD_RECORDS, type Table, type TableRow } from "./table.ts";
import { streamFileLines } from "./text_stream.ts";
import { readText } from "@/system/files.ts";

/** Keys under which a JSON object may hold its records. */
const RECORD_KEYS = ["data", "rows", "records", "examples", "train", "annotations"] as const;

/** Opens a JSON Lines file: one record per line; blank lines are skipped. */
export async function openJsonLines(path: string): Promise<Table> {
  const rows = () => readJsonLines(path);
  const { columns, isEmpty } = await readHead(rows());
  if (isEmpty) throw new RangeError(`Cannot read ${path}: the file is empty`);
  return { path, format: "jsonl", columns, unit: "line", notes: [], classNames: {}, rows };
}

async function* readJsonLines(path: string): AsyncGenerator<readonly TableRow[]> {
  let at = 0;
  for await (const lines of streamFileLines(path)) {
    const group: TableRow[] = [];
    for (const line of lines) {
      at++;
      if (line.trim() === "") continue;
      let record: unknown;
      try {
        record = JSON.parse(line);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        const isWhole = at === 1 && /^\s*[[{]\s*$/.test(line);
        throw new SyntaxError(
          `Cannot read ${path}: line ${at} is not JSON${
            isWhole
              ? "; if the file is one JSON document, name it .json"
              : `: ${JSON.stringify(line.slice(0, 60))}${line.length > 60 ? "…" : ""}`
          }`,
          { cause: error },
        );
      }
      group.push({ at, values: normalizeRecord(record, `line ${at} of ${path}`) });
    }
    if (group.length > 0) yield group;
  }
}

/** Opens a JSON file: a list of records, alone or under a key such as "data", or an object with a list per column. */
export async function openJson(path: string): Promise<Table> {
  const text = await readText(path, "data");
  if (text.trim() === "") throw new RangeError(`Cannot read ${path}: the file is empty`);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
    const isLines = lines.length > 1 && lines.slice(0, 2).every(isJson);
    throw new SyntaxError(
      `Cannot read ${path}: it is not JSON${
        isLines ? ", but each line is; name it .jsonl" : ` (${error.message})`
      }`,
      { cause: error },
    );
  }
  const records = findRecords(content, path);
  const group = records.map((record, at): TableRow => ({
    at,
    values: normalizeRecord(record, `record ${at} of ${path} (counted from 0)`),
  }));
  if (group.length === 0) throw new RangeError(`Cannot read ${path}: it has no records`);
  return {
    path,
    format: "json",
    columns: columnsOf(group.slice(0, HEAD_RECORDS)),
    unit: "record",
    notes: [],
    classNames: {},
    rows: async function* () {
      yield group;
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function findRecords(content: unknown, path: string): readonly unknown[] {
  if (Array.isArray(content)) return content;
  if (typeof content === "object" && content !== null) {
    const entries = Object.entries(content);
    for (const key of RECORD_KEYS) {
      const value = entries.find(([name]) => name === key)?.[1];
      if (Array.isArray(value) && value.every((each) => typeof each === "object")) return value;
    }
    const lists = entries.filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
    const height = lists[0]?.[1].length ?? 0;
    if (entries.length > 0 && lists.length === entries.length) {
      if (lists.every(([, list]) => list.length === height)) {
        return Array.from(
          { length: height },
          (_, row) => Object.fromEntries(lists.map(([name, list]) => [name, list[row]])),
        );
      }
    }
  }
  throw new TypeError(
    `Cannot read ${path}: it must contain a list of records, such as [{ "text": …, "label": … }], alone or under one of ${
      RECORD_KEYS.join(", ")
    }`,
  );
}

async function readHead(parts: AsyncIterable<readonly TableRow[]>) {
  const head: TableRow[] = [];
  for await (const rows of parts) {
    head.push(...rows.slice(0, HEAD_RECORDS - head.length));
    if (head.length >= HEAD_RECORDS) break;
  }
  return { columns: columnsOf(head), isEmpty: head.length === 0 };
}

function columnsOf(rows: readonly TableRow[]): string[] {
  return [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
}
