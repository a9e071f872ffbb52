/**
 * Records of annotation tools, brought to one form: a text and labeled character spans `[start, end)`.
 *
 * Forms: https://spacy.io/api/data-formats#training (tuples and `ents`), https://prodi.gy/docs/api-interfaces#spans,
 * https://labelstud.io/guide/export#Label-Studio-JSON-format-of-annotated-tasks, https://doccano.github.io/doccano (`label`).
 * @module
 */

/** A labeled part of a text: UTF-16 units [start, end), as in JavaScript strings. */
export type Span = { readonly start: number; readonly end: number; readonly label: string };

/** Name of the column that holds the spans of a record in one of the known forms. */
export const SPAN_COLUMN = "spans";

type Values = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The fields of a record. Records with character spans get the columns `text` and `spans` ({@link Span}); other objects
 * are returned unchanged. A Label Studio task that nobody has annotated has no `spans`.
 *
 * @param place The record's place, for errors.
 * @throws {TypeError} If the record is not an object and not a pair of text and annotations.
 */
export function normalizeRecord(record: unknown, place: string): Values {
  if (Array.isArray(record) && record.length === 2 && typeof record[0] === "string") {
    const [text, notes] = record;
    if (isObject(notes) && Array.isArray(notes.entities)) {
      return { text, [SPAN_COLUMN]: readSpans(notes.entities, place) };
    }
    if (isObject(notes) && isObject(notes.cats)) return { text, cats: notes.cats };
    return { text, label: notes };
  }
  if (!isObject(record)) {
    throw new TypeError(
      `Cannot use ${place}: it is ${show(record)}, but must be an object with named fields`,
    );
  }
  if (isObject(record.data) && Array.isArray(record.annotations)) {
    return readLabelStudio(record.data, record.annotations, place);
  }
  const { text } = record;
  if (typeof text === "string") {
    for (const key of ["spans", "ents", "entities", "label", "labels"]) {
      const list = record[key];
      if (
        Array.isArray(list) && (key === "spans" || key === "ents" || list.length > 0) &&
        list.every(isSpan)
      ) {
        return { ...omit(record, key), [SPAN_COLUMN]: readSpans(list, place) };
      }
    }
  }
  return record;
}

function omit(record: Values, key: string): Values {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

function isSpan(value: unknown): boolean {
  if (Array.isArray(value)) {
    return value.length >= 3 && Number.isInteger(value[0]) && Number.isInteger(value[1]) &&
      typeof value[2] === "string";
  }
  return isObject(value) && ("start" in value || "start_offset" in value);
}

function readSpans(list: readonly unknown[], place: string): Span[] {
  return list.map((each) => {
    const [start, end, label] = Array.isArray(each)
      ? each
      : isObject(each)
      ? [each.start ?? each.start_offset, each.end ?? each.end_offset, each.label ?? each.type]
      : [];
    if (!Number.isInteger(start) || !Number.isInteger(end) || typeof label !== "string") {
      throw new TypeError(
        `Cannot use ${place}: a span is ${show(each)}, but must have start, end and label`,
      );
    }
    return { start, end, label };
  });
}

function readLabelStudio(data: Values, annotations: readonly unknown[], place: string): Values {
  const texts = Object.entries(data).filter(([, value]) => typeof value === "string");
  const text = typeof data.text === "string"
    ? data.text
    : texts.length === 1
    ? texts[0]?.[1]
    : undefined;
  const done = annotations.filter((each): each is Values =>
    isObject(each) && Array.isArray(each.result) && each.was_cancelled !== true
  );
  const [annotation] = done;
  if (annotation === undefined) return { ...data, text };
  const spans: Span[] = [];
  const choices: unknown[] = [];
  for (const result of annotation.result as readonly unknown[]) {
    const value = isObject(result) ? result.value : undefined;
    if (!isObject(value)) continue;
    if (Array.isArray(value.choices)) choices.push(...value.choices);
    if (Array.isArray(value.labels)) {
      spans.push(...readSpans(value.labels.map((label) => ({ ...value, label })), place));
    }
  }
  return choices.length > 0
    ? { ...data, text, label: choices.length === 1 ? choices[0] : choices }
    : { ...data, text, [SPAN_COLUMN]: spans };
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
