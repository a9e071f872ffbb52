/**
 * Sentences beside one another: the matrix of their cosines, and what normalization does to their vectors.
 * @module
 */
/// <reference lib="dom" />
import { vectorLength } from "@/eval/normalize_vector.ts";
import { drawSimilarities } from "@/report/similarity_plot.ts";
import { make } from "./elements.ts";

/** Cosines of all pairs of vectors. */
function cosineMatrix(vectors: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const lengths = vectors.map((vector) => vectorLength(vector, "l2"));
  return vectors.map((a, i) =>
    vectors.map((b, j) => {
      const product = a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0);
      const scale = (lengths[i] ?? 0) * (lengths[j] ?? 0);
      return scale > 0 ? product / scale : 0;
    })
  );
}

function cosineTable(cosines: readonly (readonly number[])[]): HTMLElement {
  const header = (text: string, scope: string) => make("th", { scope }, text);
  return make(
    "table",
    { class: "hidden-table" },
    make("caption", {}, "Cosine similarity of sentences by number"),
    make("tr", {}, make("td"), ...cosines.map((_, i) => header(String(i + 1), "col"))),
    ...cosines.map((row, i) =>
      make(
        "tr",
        {},
        header(String(i + 1), "row"),
        ...row.map((cosine) => make("td", {}, cosine.toFixed(2))),
      )
    ),
  );
}

/** The card of a comparison. */
export function showComparison(
  sentences: readonly string[],
  vectors: readonly (readonly number[])[],
): HTMLElement {
  const cosines = cosineMatrix(vectors);
  const drawing = make("div", { "aria-hidden": "true" }, drawSimilarities(cosines));
  const items = sentences.map((sentence, i) => {
    const vector = vectors[i] ?? [];
    const note = `length L1 ${vectorLength(vector, "l1").toPrecision(3)}, ` +
      `L2 ${vectorLength(vector, "l2").toPrecision(3)}`;
    return make("li", {}, sentence, make("small", {}, note));
  });
  return make(
    "section",
    { class: "card", "aria-label": "Similarity" },
    make("h2", {}, "Cosine similarity"),
    make("div", { class: "matrix" }, drawing, make("ol", {}, ...items)),
    cosineTable(cosines),
  );
}
