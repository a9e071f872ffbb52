/**
 * Sentences beside one another: the matrix of their similarities, and what normalization does to their
 * vectors.
 * @module
 */
/// <reference lib="dom" />
import { vectorLength } from "@/eval/normalize_vector.ts";
import { measureSimilarity } from "@/eval/similarity.ts";
import {
  drawSimilarities,
  type SimilarityScale,
  similarityScale,
} from "@/report/similarity_plot.ts";
import { make } from "./elements.ts";
import type { PageSimilarity } from "./page_state.ts";

/** Most sentences whose numbers can be read in the cells of a phone's matrix. */
const MOST_ON_PHONES = 6;

/** Title and note of each similarity. */
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

/** A number with three significant digits, however small or large it is. */
export function writeNumber(value: number): string {
  if (Math.abs(value) >= 999.5) return Math.round(value).toLocaleString("en-US");
  return value === 0 ? "0" : value.toPrecision(3);
}

function similarityTable(
  title: string,
  values: readonly (readonly number[])[],
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
        ...row.map((value) => make("td", {}, writeNumber(value))),
      )
    ),
  );
  return make("div", { class: "hidden-table" }, table); // a table itself has no width but its content's
}

/** The values of a matrix's colors. */
function legend({ domain, range }: SimilarityScale): HTMLElement {
  const low = domain[0] ?? 0, high = domain.at(-1) ?? 1;
  const stops = domain.map((value, i) =>
    `${range[i]} ${(100 * (value - low) / (high - low)).toFixed(1)}%`
  );
  const colors = make("span", { class: "colors" });
  colors.style.background = `linear-gradient(to right, ${stops.join()})`;
  return make("div", { class: "legend" }, writeNumber(low), colors, writeNumber(high));
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
  const scale = similarityScale(values.flat());
  const drawing = make(
    "div",
    { "aria-hidden": "true", class: sentences.length > MOST_ON_PHONES ? "crowded" : "" },
    drawSimilarities(values, { scale, write: writeNumber }),
    legend(scale),
  );
  const items = sentences.map((sentence, i) => {
    const vector = vectors[i] ?? [];
    const note = `length L1 ${writeNumber(vectorLength(vector, "l1"))}, ` +
      `L2 ${writeNumber(vectorLength(vector, "l2"))}`;
    return make("li", {}, make("span", { dir: "auto" }, sentence), make("small", {}, note));
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
    similarityTable(title, values),
  );
}
