/**
 * Texts of a run's test rows (where it has none: of its validation rows) that the demo page offers as examples,
 * written as `examples.json` with the run.
 * @module
 */
import type { RunConfig } from "@/config.ts";
import { isTaggedRow, type Row, textOfRow } from "@/data/rows.ts";
import { mayShowTexts } from "@/data/text_rights.ts";
import type { EvaluationTask } from "@/train/run_data.ts";

/** Number of examples over all tasks. */
const COUNT = 4;

/** Characters of a text that reads well as an example; other lengths are taken where there is no such row. */
const READABLE = { least: 20, most: 200 } as const;

/** Longest text that is taken at all. */
const LONGEST = 1000;

/** The content of `examples.json`. */
export type RunExamples = {
  /** Texts of test rows; none of a data set whose license forbids showing them. */
  readonly texts: readonly string[];
};

/** The text of a row as people write it: words of a tagged row get no space before punctuation. */
function writeText(row: Row): string {
  const text = textOfRow(row);
  return isTaggedRow(row) ? text.replace(/ ([.,;:!?])(?= |$)/g, "$1") : text;
}

/** What an example shows of a task: the class of a text, or the entity types that occur in it. */
function contentOf(row: Row, labels: readonly string[]): string {
  if (!isTaggedRow(row)) return labels[row.label] ?? "";
  const types = row.tags.map((tag) => labels[tag] ?? "O").filter((tag) => tag !== "O")
    .map((tag) => tag.replace(/^[BI]-/, ""));
  return [...new Set(types)].sort().join();
}

/** Texts of one task: each shows another content than those before it, as long as there is another. */
function chooseTexts(
  { task: { labels }, evaluation }: EvaluationTask,
  count: number,
): readonly string[] {
  const [rows = []] = ["test", "validation"].map((split) => evaluation.get(split)?.rows ?? [])
    .filter(({ length }) => length > 0);
  const isReadable = (text: string) =>
    text.length >= READABLE.least && text.length <= READABLE.most;
  const candidates = rows.map((row) => ({ text: writeText(row), content: contentOf(row, labels) }))
    .filter(({ text }) => text.trim() !== "" && text.length <= LONGEST);
  const readable = candidates.filter(({ text }) => isReadable(text));
  const pool = readable.length >= count ? readable : candidates;
  const withContent = pool.filter(({ content }) => content !== "");
  const firsts = withContent.filter(({ content }, i) =>
    withContent.findIndex((other) => other.content === content) === i
  );
  return [...new Set([...firsts, ...withContent, ...pool].map(({ text }) => text))].slice(0, count);
}

/** Examples of a run: as many of each task whose texts may be shown, a task after the other in turn. */
export function chooseExamples(
  { data }: Pick<RunConfig, "data">,
  tasks: readonly EvaluationTask[],
): RunExamples {
  const shown = tasks.filter(({ task }) => mayShowTexts(task, data.dir));
  const lists = shown.map((task) => chooseTexts(task, COUNT));
  const inTurn = Array.from({ length: COUNT }, (_, i) => lists.flatMap((list) => list[i] ?? []));
  return { texts: [...new Set(inTurn.flat())].slice(0, COUNT) };
}
