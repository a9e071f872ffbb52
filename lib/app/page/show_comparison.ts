/**
 * Shows the similarity matrix of sentences and the norms of their vectors.
 * @module
 */
/// <reference lib="dom" />
import { vectorLength } from "@/eval/embedding_similarity.ts";
import { measureSimilarity } from "@/eval/embedding_similarity.ts";
import {
  drawSimilarities,
  type SimilarityScale,
  similarityScale,
} from "@/report/figures/similarity_plot.ts";
import { make } from "./elements.ts";
import type { PageSimilarity } from "./page_state.ts";

/** Largest number of sentences for which the matrix shows readable numbers on a phone. */
const MAX_ON_PHONES = 6;

/** Title and explanation of each similarity measure. */
const WORDS = {
  cosine: {
    title: "Cosine similarity",
    note: "Cosine similarity does not depend on normalization, since it divides by the L2 norms.",
  },
  dot: {
    title: "Dot product",
    note:
      "The dot product depends on normalization: for vectors of L2 norm 1 it equals the cosine.",
  },
} as const satisfies Record<PageSimilarity, { readonly title: string; readonly note: string }>;

/** Formats a number with three significant digits. */
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
  return make("div", { class: "hidden-table" }, table); // a table cannot be narrower than its content
}

/** Color scale of the matrix with its end values. */
function legend({ domain, range }: SimilarityScale): HTMLElement {
  const low = domain[0] ?? 0, high = domain.at(-1) ?? 1;
  const stops = domain.map((value, i) =>
    `${range[i]} ${(100 * (value - low) / (high - low)).toFixed(1)}%`
  );
  const colors = make("span", { class: "colors" });
  colors.style.background = `linear-gradient(to right, ${stops.join()})`;
  return make("div", { class: "legend" }, writeNumber(low), colors, writeNumber(high));
}

/** Data of a comparison. */
type Comparison = {
  readonly sentences: readonly string[];
  /** One vector per sentence. */
  readonly vectors: readonly (readonly number[])[];
  readonly similarity: PageSimilarity;
};

/** Card with the similarity matrix. */
export function showComparison({ sentences, vectors, similarity }: Comparison): HTMLElement {
  const values = vectors.map((a) => vectors.map((b) => measureSimilarity(similarity, a, b)));
  const { title, note } = WORDS[similarity];
  const scale = similarityScale(values.flat());
  const drawing = make(
    "div",
    { "aria-hidden": "true", class: sentences.length > MAX_ON_PHONES ? "crowded" : "" },
    drawSimilarities(values, { scale, write: writeNumber }),
    legend(scale),
  );
  const items = sentences.map((sentence, i) => {
    const vector = vectors[i] ?? [];
    const note = `L1 norm ${writeNumber(vectorLength(vector, "l1"))}, ` +
      `L2 norm ${writeNumber(vectorLength(vector, "l2"))}`;
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
