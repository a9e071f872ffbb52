/**
 * Example texts for the app, taken from a run's test rows, or from validation rows if there are no test rows.
 * They are saved in the run as `examples.json`.
 * @module
 */
import type { RunConfig } from "@/config/config.ts";
import { isTaggedRow, type Row, textOfRow } from "@/data/rows.ts";
import { mayShowTexts } from "@/data/text_rights.ts";
import type { EvaluationTask } from "@/train/run_data.ts";

/** Total number of examples. */
const COUNT = 4;

/** Preferred length of an example, in characters; other lengths are used if there are too few such rows. */
const READABLE = { least: 20, most: 200 } as const;

/** Maximum length of an example, in characters. */
const MAX_CHARACTERS = 1000;

/** The content of `examples.json`. */
type RunExamples = {
  /** Texts of test rows; never from a data set whose license forbids publishing them. */
  readonly texts: readonly string[];
};

/** The text of a row in normal spelling: the words of a tagged row have no space before punctuation. */
function writeText(row: Row): string {
  const text = textOfRow(row);
  return isTaggedRow(row) ? text.replace(/ ([.,;:!?])(?= |$)/g, "$1") : text;
}

/** What an example illustrates: the class of a text, or the entity types that occur in it. */
function contentOf(row: Row, labels: readonly string[]): string {
  if (!isTaggedRow(row)) return labels[row.label] ?? "";
  const types = row.tags.map((tag) => labels[tag] ?? "O").filter((tag) => tag !== "O")
    .map((tag) => tag.replace(/^[BI]-/, ""));
  return [...new Set(types)].sort().join();
}

/** Selects texts of one task. Texts with different classes or entity types come first, repetitions after them. */
function chooseTexts(
  { task: { labels }, evaluation }: EvaluationTask,
  count: number,
): readonly string[] {
  const [rows = []] = ["test", "validation"].map((split) => evaluation.get(split)?.rows ?? [])
    .filter(({ length }) => length > 0);
  const isReadable = (text: string) =>
    text.length >= READABLE.least && text.length <= READABLE.most;
  const candidates = rows.map((row) => ({ text: writeText(row), content: contentOf(row, labels) }))
    .filter(({ text }) => text.trim() !== "" && text.length <= MAX_CHARACTERS);
  const readable = candidates.filter(({ text }) => isReadable(text));
  const pool = readable.length >= count ? readable : candidates;
  const withContent = pool.filter(({ content }) => content !== "");
  const firsts = withContent.filter(({ content }, i) =>
    withContent.findIndex((other) => other.content === content) === i
  );
  return [...new Set([...firsts, ...withContent, ...pool].map(({ text }) => text))].slice(0, count);
}

/** Selects the examples of a run, alternating between the tasks whose texts may be published. */
export function chooseExamples(
  { data }: Pick<RunConfig, "data">,
  tasks: readonly EvaluationTask[],
): RunExamples {
  const shown = tasks.filter(({ task }) => mayShowTexts(task, data.dir));
  const lists = shown.map((task) => chooseTexts(task, COUNT));
  const inTurn = Array.from({ length: COUNT }, (_, i) => lists.flatMap((list) => list[i] ?? []));
  return { texts: [...new Set(inTurn.flat())].slice(0, COUNT) };
}
