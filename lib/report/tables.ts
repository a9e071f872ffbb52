/**
 * Tables of a run in GitHub-flavored Markdown. Scores are in percent with two decimals.
 * @module
 */

import { showDataset } from "@/data/file_source.ts";
import { isObject } from "@/schema.ts";
import { pickVersions } from "@/system/environment.ts";
import type { ClassificationScores } from "@/eval/classification.ts";
import type { EntityScores } from "@/eval/entities.ts";
import { ERROR_KINDS } from "@/eval/entity_errors.ts";
import { formatCount, formatInterval, formatPercent, formatRate } from "./format.ts";
import type { RunSummary } from "@/train/run_summary.ts";
import { isClassification, mainMeasure, mainScores, type RunRecord } from "./readers/run_record.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";

/** Alignment of a column: text left, numbers right. */
type Align = "left" | "right";

/** A column: its heading and alignment. */
export type Column = {
  readonly head: string;
  readonly align: Align;
  /** True if the cells are already Markdown, such as links; by default they are escaped. */
  readonly isMarkdown?: boolean;
};

/** Escapes text so that Markdown shows it unchanged, also inside a table. */
export function escapeMarkdown(text: string): string {
  return text.replace(/\s+/g, " ")
    .replace(/[\\`*{}[\]#|~!$@]/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_") // underscores inside a word have no special meaning
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(/^[-+=]/, "\\$&") // would start a list or an underline
    .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2"); // would start a numbered list
}

/** Formats a table. Cells are plain text and are escaped. */
export function formatTable(
  columns: readonly Column[],
  cells: readonly (readonly string[])[],
): string {
  const line = (items: readonly string[]) => `| ${items.join(" | ")} |`;
  return [
    line(columns.map(({ head }) => escapeMarkdown(head))),
    line(columns.map(({ align }) => align === "right" ? "---:" : ":---")),
    ...cells.map((row) =>
      line(row.map((cell, i) => columns[i]?.isMarkdown === true ? cell : escapeMarkdown(cell)))
    ),
  ].join("\n");
}

/** Columns of text, aligned left. */
export const words = (...heads: readonly string[]): Column[] =>
  heads.map((head) => ({ head, align: "left" }));
/** Columns of numbers, aligned right. */
export const numbers = (...heads: readonly string[]): Column[] =>
  heads.map((head) => ({ head, align: "right" }));

/** Main score of each task; null if none was scored. */
export function headlineTable({ scores }: RunSummary): string | null {
  const cells = Object.entries(scores).flatMap(([task, splits]) => {
    const main = mainScores(splits);
    if (main === null) return [];
    const { measure, value } = mainMeasure(main.scores);
    return [[
      task,
      `${measure}, ${main.split}`,
      formatPercent(value),
      formatInterval(main.scores.interval),
      formatCount(main.scores.rows),
    ]];
  });
  return cells.length === 0 ? null : formatTable(
    [...words("Task", "Score"), ...numbers("Percent", "95 % interval", "Rows")],
    cells,
  );
}

/** Accuracy and macro-F1 of every classification task on every split; null if there is none. */
export function classificationTable({ scores }: RunSummary): string | null {
  const cells = Object.entries(scores).flatMap(([task, splits]) =>
    Object.entries(splits).flatMap(([split, found]) =>
      isClassification(found)
        ? [[
          task,
          split,
          formatCount(found.rows),
          formatPercent(found.accuracy),
          formatInterval(found.interval),
          formatPercent(found.macroF1),
          formatOptional(found.macroF1Interval, formatInterval),
        ]]
        : []
    )
  );
  return cells.length === 0 ? null : formatTable([
    ...words("Task", "Split"),
    ...numbers(
      "Rows",
      "Accuracy (%)",
      "95 % interval",
      "Macro-F1 (%)",
      "95 % interval",
    ),
  ], cells);
}

/** Calibration on every split scored with probabilities; null if there is none. */
export function calibrationTable({ scores }: RunSummary): string | null {
  const cells = Object.entries(scores).flatMap(([task, splits]) =>
    Object.entries(splits).flatMap(([split, found]) =>
      isClassification(found) && found.ece !== undefined
        ? [[
          task,
          split,
          formatPercent(found.ece),
          formatOptional(found.temperature, (temperature) => temperature.toFixed(3)),
          formatOptional(found.scaledEce, formatPercent),
        ]]
        : []
    )
  );
  return cells.length === 0 ? null : formatTable([
    ...words("Task", "Split"),
    ...numbers("Calibration error (%)", "Temperature", "Error at this temperature (%)"),
  ], cells);
}

/** Formats a value; empty if the run does not have it. */
function formatOptional<T>(value: T | undefined, format: (value: T) => string): string {
  return value === undefined ? "" : format(value);
}

/** Entity scores of every tagging task on every split; null if there is none. */
export function entityTable({ scores }: RunSummary): string | null {
  const cells = Object.entries(scores).flatMap(([task, splits]) =>
    Object.entries(splits).flatMap(([split, found]) =>
      isClassification(found) ? [] : [[
        task,
        split,
        formatCount(found.rows),
        formatPercent(found.f1),
        formatInterval(found.interval),
        formatPercent(found.precision),
        formatPercent(found.recall),
        formatPercent(found.strictF1),
        formatOptional(found.strictF1Interval, formatInterval),
        formatPercent(found.tokenAccuracy),
      ]]
    )
  );
  return cells.length === 0 ? null : formatTable([
    ...words("Task", "Split"),
    ...numbers(
      "Sentences",
      "Entity F1 (%)",
      "95 % interval",
      "Precision (%)",
      "Recall (%)",
      "Strict F1 (%)",
      "95 % interval",
      "Token accuracy (%)",
    ),
  ], cells);
}

/** Precision, recall and F1 of each class. */
export function classTable({ perClass }: ClassificationScores): string {
  return formatTable(
    [...words("Class"), ...numbers("Precision (%)", "Recall (%)", "F1 (%)", "Rows")],
    Object.entries(perClass).map(([name, { precision, recall, f1, support }]) => [
      name,
      formatPercent(precision),
      formatPercent(recall),
      formatPercent(f1),
      formatCount(support),
    ]),
  );
}

/** Precision, recall, F1 and strict F1 of each entity type. */
export function typeTable({ perType }: EntityScores): string {
  return formatTable(
    [
      ...words("Type"),
      ...numbers("Precision (%)", "Recall (%)", "F1 (%)", "Strict F1 (%)", "Entities"),
    ],
    Object.entries(perType).map(([name, { precision, recall, f1, strictF1, support }]) => [
      name,
      formatPercent(precision),
      formatPercent(recall),
      formatPercent(f1),
      formatPercent(strictF1),
      formatCount(support),
    ]),
  );
}

/** Errors of each entity type by category, with a total row first; null if they were not counted. */
export function errorTable({ errors }: EntityScores): string | null {
  if (errors === undefined) return null;
  const { perType, ...all } = errors;
  return formatTable(
    [...words("Entity type"), ...numbers("Boundary", "Type", "Both", "Missed", "Invented")],
    [["all", all] as const, ...Object.entries(perType)].map(([name, counts]) => [
      name,
      ...ERROR_KINDS.map((kind) => formatCount(counts[kind])),
    ]),
  );
}

/** Parameter groups in the order of the optimizer. */
export function groupTable({ groups }: RunSummary): string {
  return formatTable(
    [
      ...words("Group"),
      ...numbers("Peak learning rate", "Weight decay", "Parameters", "Without decay"),
    ],
    groups.map(({ name, learningRate, weightDecay, parameters, undecayed }) => [
      name,
      formatRate(learningRate),
      String(weightDecay),
      formatCount(parameters),
      formatCount(undecayed),
    ]),
  );
}

/** Rows of each task's splits, test texts that also occur in train, and words cut off in training. */
export function dataTable({ config, summary }: RunRecord): string {
  const datasets = new Map(config.tasks.map(({ name, dataset }) => [name, dataset]));
  return formatTable(
    [
      ...words("Task", "Data set"),
      ...numbers("Train", "Validation", "Test", "Test texts in train", "Words cut in training"),
    ],
    Object.entries(summary.data).map(([task, counts]) => [
      task,
      showDataset(datasets.get(task) ?? ""),
      ...[counts.train, counts.validation, counts.test, counts.overlap, counts.cutWords]
        .map(formatCount),
    ]),
  );
}

/**
 * `environment.json` with nested keys joined by dots. Leaves out start, commit and command, which the report shows
 * elsewhere, and packages that take no part in computing.
 */
export function environmentTable(environment: RunRecord["environment"]): string {
  const { started: _started, commit: _commit, command: _command, versions, ...rest } = environment;
  const picked = isObject(versions) ? pickVersions(versions, environment.executor) : versions;
  return formatTable(
    words("Key", "Value"),
    flatten({ ...rest, ...picked !== undefined && { versions: picked } }, ""),
  );
}

function flatten(value: unknown, key: string): string[][] {
  if (typeof value !== "object" || value === null) return [[key, String(value)]];
  return Object.entries(value).flatMap(([name, item]) =>
    flatten(item, key === "" ? name : `${key}.${name}`)
  );
}

/** Main score of each task at each evaluation during training; null if there was none. */
export function evaluationTable({ evaluations }: RunRecord): string | null {
  const cells = evaluations.flatMap(({ step, split, scores }) =>
    Object.entries(scores).map(([task, found]) => {
      const { measure, value } = mainMeasure(found);
      return [formatCount(step), split, task, measure, formatPercent(value)];
    })
  );
  return cells.length === 0 ? null : formatTable([
    ...numbers("Step"),
    ...words("Split", "Task", "Score"),
    ...numbers("Value (%)"),
  ], cells);
}

/** Tables of a run by name; those without rows are left out. */
export function recordTables(record: RunRecord): Map<string, string> {
  const { summary } = record;
  const tables: Readonly<Record<string, string | null>> = {
    headline: headlineTable(summary),
    classification: classificationTable(summary),
    calibration: calibrationTable(summary),
    entities: entityTable(summary),
    ...Object.assign({}, ...Object.entries(summary.scores).map(taskTables)),
    evaluations: evaluationTable(record),
    groups: summary.groups.length === 0 ? null : groupTable(summary),
    data: dataTable(record),
    environment: environmentTable(record.environment),
  };
  const present = Object.entries(tables);
  return new Map(present.flatMap(([name, table]) => table === null ? [] : [[name, table]]));
}

/** Tables of one task's main split by name; null if the split has no such scores. */
function taskTables(
  [task, splits]: readonly [string, Readonly<Record<string, TaskScores>>],
): Readonly<Record<string, string | null>> {
  const scores = mainScores(splits)?.scores;
  if (scores === undefined) return {};
  return isClassification(scores)
    ? { [`classes-${task}`]: classTable(scores) }
    : { [`types-${task}`]: typeTable(scores), [`errors-${task}`]: errorTable(scores) };
}
