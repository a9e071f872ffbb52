/**
 * Errors of a run: the most confused classes, and examples with their texts if the license of the data
 * set allows it.
 * @module
 */
import { mayShowTexts } from "@/data/text_rights.ts";
import type { ClassificationScores } from "@/eval/classification.ts";
import { type EntityError, findEntityErrors } from "@/eval/entity_errors.ts";
import type { Span } from "@/eval/spans.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import type { PredictionError } from "@/train/choose_errors.ts";
import { formatCount, formatPercent } from "./format.ts";
import { isClassification, type RunRecord } from "./readers/run_record.ts";
import { formatTable } from "./tables.ts";

/** Number of errors shown. */
const SHOWN = 10;

/** Number of confusions shown. */
const PAIRS = 5;

/** Maximum number of characters shown per text. */
const LONGEST = 400;

/** Paragraphs and tables on the errors of one task on one split; empty if there are none. */
export function describeErrors(
  { config, errors }: Pick<RunRecord, "config" | "errors">,
  { task, split, scores }: {
    readonly task: string;
    readonly split: string;
    readonly scores: TaskScores;
  },
): string[] {
  const counts = isClassification(scores) ? describeConfusions(scores) : [];
  const isWrong = isClassification(scores) ? counts.length > 0 : scores.f1 < 1;
  if (!isWrong) return [];
  const dataset = config.tasks.find(({ name }) => name === task)?.dataset ?? task;
  const own = errors?.filter((error) => error.task === task && error.split === split) ?? [];
  const examples = !mayShowTexts({ dataset }, config.dataDir)
    ? ["Their texts are not shown, because the license of the data set forbids it."]
    : own.length > 0
    ? tabulate(own)
    : errors === null
    ? ["Their texts were not recorded with this run."]
    : [];
  return [...counts, ...examples];
}

/** Number of wrong rows, and the most frequent confusions. */
function describeConfusions({ rows, confusion, perClass }: ClassificationScores): string[] {
  const names = Object.keys(perClass);
  const pairs = confusion.flatMap((row, gold) =>
    row.flatMap((count, predicted) =>
      gold === predicted || count === 0
        ? []
        : [{ gold: names[gold] ?? "", predicted: names[predicted] ?? "", count }]
    )
  ).sort((a, b) => b.count - a.count);
  const wrong = pairs.reduce((sum, { count }) => sum + count, 0);
  if (wrong === 0) return [];
  const shown = pairs.slice(0, PAIRS);
  return [
    `${formatCount(wrong)} of ${formatCount(rows)} rows are wrong (${
      formatPercent(wrong / rows)
    } %). ` + (shown.length < pairs.length
      ? `The ${shown.length} most frequent of ${pairs.length} confusions:`
      : "By confusion:"),
    formatTable(
      [
        { head: "Gold", align: "left" },
        { head: "Predicted", align: "left" },
        { head: "Rows", align: "right" },
        { head: "Share of errors (%)", align: "right" },
      ],
      shown.map(({ gold, predicted, count }) => [
        gold,
        predicted,
        formatCount(count),
        formatPercent(count / wrong),
      ]),
    ),
  ];
}

function tabulate(errors: readonly PredictionError[]): string[] {
  const texts = errors.flatMap((error) => error.kind === "classification" ? [error] : []);
  if (texts.length > 0) {
    return [
      "Misclassified texts with the highest probability:",
      formatTable(
        [
          { head: "Text", align: "left" },
          { head: "Gold", align: "left" },
          { head: "Predicted", align: "left" },
          { head: "Probability (%)", align: "right" },
        ],
        texts.slice(0, SHOWN).map(({ text, gold, predicted, probability }) => [
          shorten(text),
          gold,
          predicted,
          formatPercent(probability),
        ]),
      ),
    ];
  }
  const sentences = errors.flatMap((error) => error.kind === "tagging" ? [error] : []);
  return [
    "Sentences with the most errors; each error is shown as gold entity → prediction:",
    formatTable(
      [{ head: "Sentence", align: "left" }, { head: "Gold → predicted", align: "left" }],
      sentences.slice(0, SHOWN).map(({ words, gold, predicted }) => [
        shorten(words.join(" ")),
        findEntityErrors(gold, predicted).map((error) => formatError(error, words)).join("; "),
      ]),
    ),
  ];
}

function formatError({ gold, predicted }: EntityError, words: readonly string[]): string {
  const name = (span: Span | null) =>
    span === null ? "nothing" : `${words.slice(span.start, span.end).join(" ")} (${span.type})`;
  return `${name(gold)} → ${name(predicted)}`;
}

function shorten(text: string): string {
  const letters = [...text];
  return letters.length <= LONGEST ? text : `${letters.slice(0, LONGEST).join("").trimEnd()}…`;
}
