/**
 * Tab that compares sentences by the similarity of their embeddings: a matrix, and the norms of their vectors.
 * @module
 */
/// <reference lib="dom" />

import { type EncodeAnswer, LIMITS, type ModelInfo } from "@/app/contract.ts";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { find, make, makeCopyButton } from "./elements.ts";
import { INITIAL_STATE, PAGE_SIMILARITIES, type PageSimilarity } from "./page_state.ts";
import {
  asLines,
  exampleButton,
  type PageContext,
  type Panel,
  sentencesOf,
  TYPING_MS,
} from "./panel.ts";
import { measureSimilarity, vectorLength } from "@/eval/embedding_similarity.ts";
import {
  drawSimilarities,
  type SimilarityScale,
  similarityScale,
} from "@/report/figures/similarity_plot.ts";

const MAX_SENTENCES = 12;

/** Creates the tab. */
export function createComparePanel({ client, change, announce, address }: PageContext): Panel {
  const sentences = find("sentences", HTMLTextAreaElement);
  const pooling = find("pooling", HTMLSelectElement),
    normalize = find("normalize", HTMLSelectElement),
    similarity = find("similarity", HTMLSelectElement);
  const place = find("comparison", HTMLElement), actions = find("comparison-actions", HTMLElement);
  let shown: (Omit<EncodeAnswer, "tookMs"> & { readonly sentences: readonly string[] }) | null =
    null;
  let optionsOf: ModelInfo | null = null;

  sentences.addEventListener("input", () => {
    change({ sentences: sentences.value }, { waitMs: TYPING_MS });
  });
  pooling.addEventListener("change", () => {
    change({ pooling: POOLING_MODES.find((mode) => mode === pooling.value) ?? null });
  });
  normalize.addEventListener("change", () => {
    change({ normalize: NORMALIZE_MODES.find((mode) => mode === normalize.value) ?? null });
  });
  similarity.addEventListener("change", () => {
    const wanted = PAGE_SIMILARITIES.find((each) => each === similarity.value);
    change({ similarity: wanted ?? INITIAL_STATE.similarity });
  });
  makeCopyButton(find("copy-comparison", HTMLButtonElement), {
    text: () => JSON.stringify(shown, null, 2),
    announce,
  });
  makeCopyButton(find("link-comparison", HTMLButtonElement), { text: address, announce });

  /** Fills the controls with the model's pooling modes and examples. */
  const offer = (model: ModelInfo) => {
    optionsOf = model;
    pooling.replaceChildren(
      ...model.poolings.map((mode) => make("option", { value: mode }, mode)),
    );
    const lists = { "Examples of this run": model.examples, ...SENTENCE_EXAMPLES };
    find("sentence-examples", HTMLElement).replaceChildren(
      ...Object.entries(lists).map(([name, texts]) =>
        exampleButton(name, () => change({ sentences: asLines(texts) }, { push: true }))
      ),
    );
  };

  return {
    place,
    show(state, model) {
      const wanted = sentencesOf(state, model);
      if (sentences.value !== wanted) sentences.value = wanted;
      similarity.value = state.similarity;
      if (model === null) return;
      if (model !== optionsOf) offer(model);
      pooling.value = state.pooling ?? model.pooling;
      normalize.value = state.normalize ?? model.normalize;
    },
    async refresh({ state, model }, signal) {
      actions.hidden = true;
      const lines = sentencesOf(state, model).split("\n").map((line) => line.trim())
        .filter((line) => line !== "");
      if (lines.length < 2) {
        place.replaceChildren(
          make("p", { class: "quiet" }, "Enter at least two sentences, one per line."),
        );
        announce("");
        return;
      }
      const taken = lines.slice(0, MAX_SENTENCES);
      const long = taken.findIndex(({ length }) => length > LIMITS.characters);
      if (long >= 0) {
        throw new RangeError(
          `Sentence ${long + 1} is too long: it has ${taken[long]?.length} characters, ` +
            `at most ${LIMITS.characters} are allowed`,
        );
      }
      const { tookMs, ...answer } = await client.encode(taken, {
        pooling: state.pooling !== null && model.poolings.includes(state.pooling)
          ? state.pooling
          : null,
        normalize: state.normalize,
        run: model.run,
        signal,
      });
      if (signal.aborted) return;
      shown = { sentences: taken, ...answer };
      place.replaceChildren(
        showComparison({
          sentences: taken,
          vectors: answer.embeddings,
          similarity: state.similarity,
        }),
      );
      actions.hidden = false;
      const more = lines.length > taken.length
        ? `, the first ${MAX_SENTENCES} of ${lines.length}`
        : "";
      const by = `${
        similarity.selectedOptions[0]?.text
      }, ${answer.pooling} pooling, normalization ${answer.normalize}`;
      announce(`${taken.length} sentences compared by ${by}${more} · ${tookMs.toFixed(1)} ms`);
    },
  };
}

/** Sentences by list name. */
const SENTENCE_EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "Paraphrases": [
    "How do I reset my password?",
    "I forgot my login and need a new one.",
    "What is the weather like tomorrow?",
    "Will it rain on Tuesday?",
  ],
  "Word order": [
    "The dog chased the cat.",
    "The cat chased the dog.",
    "The cat was chased by the dog.",
  ],
};

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
function showComparison({ sentences, vectors, similarity }: Comparison): HTMLElement {
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
