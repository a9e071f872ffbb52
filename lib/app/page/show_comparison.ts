/**
 * Sentences beside one another: the matrix of their similarities, and what normalization does to their
 * vectors.
 * @module
 */
/// <reference lib="dom" />
import { vectorLength } from "@/eval/normalize_vector.ts";
import { measureSimilarity } from "@/eval/similarity.ts";
import { drawSimilarities, SIMILARITY_COLORS } from "@/report/similarity_plot.ts";
import { make } from "./elements.ts";
import type { PageSimilarity } from "./page_state.ts";

/** Most sentences whose numbers can be read in the cells of a phone's matrix. */
const MOST_ON_PHONES = 6;

/** What is said of each similarity. */
const WORDS = {
  cosine: {
    title: "Cosine similarity",
    note: "Cosine does not depend on normalization: it divides by the lengths itself.",
  },
  dot: {
    title: "Dot product",
    note: "The dot product depends on normalization: of vectors of length L2 1 it is the cosine.",
  },
} as const satisfies Record<PageSimilarity, { readonly title: string; readonly note: string }>;

/** A similarity as people read it: of a dot product two digits, however small it is. */
function writeNumber(value: number, similarity: PageSimilarity): string {
  return similarity === "cosine" ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}

function similarityTable(
  title: string,
  values: readonly (readonly number[])[],
  write: (value: number) => string,
): HTMLElement {
  const header = (text: string, scope: string) => make("th", { scope }, text);
  const table = make(
    "table",
    {},
    make("caption", {}, `${title} of sentences by number`),
    make("tr", {}, make("td"), ...values.map((_, i) => header(String(i + 1), "col"))),
    ...values.map((row, i) =>
      make(
        "tr",
        {},
        header(String(i + 1), "row"),
        ...row.map((value) => make("td", {}, write(value))),
      )
    ),
  );
  return make("div", { class: "hidden-table" }, table); // a table itself has no width but its content's
}

/** What the matrix's colors mean. */
function legend(most: number, write: (value: number) => string): HTMLElement {
  const colors = make("span", { class: "colors" });
  colors.style.background = `linear-gradient(to right, ${SIMILARITY_COLORS.join()})`;
  return make("div", { class: "legend" }, write(-most), colors, write(most));
}

/** What is compared. */
export type Comparison = {
  readonly sentences: readonly string[];
  /** One a sentence. */
  readonly vectors: readonly (readonly number[])[];
  readonly similarity: PageSimilarity;
};

/** The card of a comparison. */
export function showComparison({ sentences, vectors, similarity }: Comparison): HTMLElement {
  const values = vectors.map((a) => vectors.map((b) => measureSimilarity(similarity, a, b)));
  const { title, note } = WORDS[similarity];
  const write = (value: number) => writeNumber(value, similarity);
  const largest = Math.max(...values.flat().map(Math.abs));
  const most = similarity === "cosine" || largest === 0 ? 1 : largest;
  const drawing = make(
    "div",
    { "aria-hidden": "true", class: sentences.length > MOST_ON_PHONES ? "crowded" : "" },
    drawSimilarities(values, { most, write }),
    legend(most, write),
  );
  const items = sentences.map((sentence, i) => {
    const vector = vectors[i] ?? [];
    const note = `length L1 ${vectorLength(vector, "l1").toPrecision(3)}, ` +
      `L2 ${vectorLength(vector, "l2").toPrecision(3)}`;
    return make("li", {}, sentence, make("small", {}, note));
  });
  return make(
    "section",
    { class: "card", "aria-label": "Similarity" },
    make("h2", {}, title),
    make(
      "div",
      { class: "matrix" },
      make("div", {}, drawing, make("p", { class: "quiet note" }, note)),
      make("ol", {}, ...items),
    ),
    similarityTable(title, values, write),
  );
}
