/**
 * Tables of a run in Markdown (GitHub's dialect). Scores are percents with two decimals.
 * @module
 */

import type { ClassificationScores } from "@/eval/classification.ts";
import type { EntityScores } from "@/eval/entities.ts";
import { formatCount, formatInterval, formatPercent, formatRate } from "./format.ts";
import { isClassification, type RunRecord, type SummaryRecord } from "./run_record.ts";

/** How a column is set: words to the left, numbers to the right. */
export type Align = "left" | "right";

/** A column: its head and its side. */
export type Column = { readonly head: string; readonly align: Align };

/** Text that Markdown shows as it is, inside a table too. */
export function escapeMarkdown(text: string): string {
  return text.replace(/\s+/g, " ")
    .replace(/[\\`*{}[\]#|~!$@]/g, "\\$&")
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_") // inside a word it means nothing
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(/^[-+=]/, "\\$&") // a list or an underline
    .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2"); // a numbered list
}

/** A table; cells are escaped here, so give them as plain text. */
export function formatTable(
  columns: readonly Column[],
  cells: readonly (readonly string[])[],
): string {
  const line = (items: readonly string[]) => `| ${items.join(" | ")} |`;
  return [
    line(columns.map(({ head }) => escapeMarkdown(head))),
    line(columns.map(({ align }) => align === "right" ? "---:" : "---")),
    ...cells.map((row) => line(row.map(escapeMarkdown))),
  ].join("\n");
}

const words = (...heads: readonly string[]): Column[] =>
  heads.map((head) => ({ head, align: "left" }));
const numbers = (...heads: readonly string[]): Column[] =>
  heads.map((head) => ({ head, align: "right" }));

/** Accuracy of every classification task on every split that was scored; null where there is none. */
export function classificationTable({ scores }: SummaryRecord): string | null {
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
          found.ece === undefined ? "" : formatPercent(found.ece),
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
      "Calibration error (%)",
    ),
  ], cells);
}

/** Entity scores of every tagging task on every split that was scored; null where there is none. */
export function entityTable({ scores }: SummaryRecord): string | null {
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

/** Precision, recall and F1 of each entity type, strict F1 beside. */
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

/** The optimizer's parameter groups, in its order. */
export function groupTable({ groups }: SummaryRecord): string {
  return formatTable(
    [...words("Group"), ...numbers("Peak learning rate", "Weight decay", "Parameters")],
    groups.map(({ name, learningRate, weightDecay, parameters }) => [
      name,
      formatRate(learningRate),
      String(weightDecay),
      formatCount(parameters),
    ]),
  );
}

/** Rows of each task's splits, overlaps of test with train and words cut off. */
export function dataTable({ config, summary }: RunRecord): string {
  const datasets = new Map(config.tasks.map(({ name, dataset }) => [name, dataset]));
  return formatTable(
    [
      ...words("Task", "Data set"),
      ...numbers("Train", "Validation", "Test", "Test texts in train", "Words cut in training"),
    ],
    Object.entries(summary.data).map(([task, counts]) => [
      task,
      datasets.get(task) ?? "",
      ...[counts.train, counts.validation, counts.test, counts.overlap, counts.cutWords]
        .map(formatCount),
    ]),
  );
}

/** `environment.json`, its nested keys joined by dots. */
export function environmentTable(environment: RunRecord["environment"]): string {
  return formatTable(words("Key", "Value"), flatten(environment, ""));
}

function flatten(value: unknown, key: string): string[][] {
  if (typeof value !== "object" || value === null) return [[key, String(value)]];
  return Object.entries(value).flatMap(([name, item]) =>
    flatten(item, key === "" ? name : `${key}.${name}`)
  );
}

/** Main score of each task on each evaluation during training; null where there was none. */
export function evaluationTable({ evaluations }: RunRecord): string | null {
  const cells = evaluations.flatMap(({ step, split, scores }) =>
    Object.entries(scores).map(([task, found]) => [
      formatCount(step),
      split,
      task,
      isClassification(found) ? "accuracy" : "entity F1",
      formatPercent(isClassification(found) ? found.accuracy : found.f1),
    ])
  );
  return cells.length === 0 ? null : formatTable([
    ...numbers("Step"),
    ...words("Split", "Task", "Score"),
    ...numbers("Value (%)"),
  ], cells);
}
