/**
 * State of the page and its encoding in the URL after `#`, so that a link reproduces the sender's view.
 * @module
 */
import { LIMITS } from "@/app/contract.ts";
import {
  NORMALIZE_MODES,
  type NormalizeMode,
  POOLING_MODES,
  type PoolingMode,
} from "@/config/config.ts";
import type { Similarity } from "@/eval/embedding_similarity.ts";

/** Tabs of the page. */
export const TABS = ["read", "file", "compare", "api", "report", "about"] as const;

/** One of {@link TABS}. */
export type Tab = typeof TABS[number];

/** Similarity measures that the page offers. */
export const PAGE_SIMILARITIES = ["cosine", "dot"] as const satisfies readonly Similarity[];

/** One of {@link PAGE_SIMILARITIES}. */
export type PageSimilarity = typeof PAGE_SIMILARITIES[number];

/** State of the page; null stands for the default of the server or of the model. */
export type PageState = {
  readonly tab: Tab;
  readonly run: string | null;
  readonly text: string | null;
  readonly sentences: string | null;
  readonly pooling: PoolingMode | null;
  readonly normalize: NormalizeMode | null;
  readonly similarity: PageSimilarity;
};

/** State of a page whose URL has no hash. */
export const INITIAL_STATE: PageState = {
  tab: "read",
  run: null,
  text: null,
  sentences: null,
  pooling: null,
  normalize: null,
  similarity: "cosine",
};

const KEYS = Object.keys(INITIAL_STATE) as readonly (keyof PageState)[];

/** Cuts a text to the longest length that one request accepts, without splitting a surrogate pair. */
export function cutText(text: string): string {
  const cut = text.slice(0, LIMITS.characters);
  return cut.length < text.length ? cut.replace(/[\uD800-\uDBFF]$/, "") : text;
}

/** Reads the state from a hash; missing or invalid values are replaced by those of {@link INITIAL_STATE}. */
export function readPageState(hash: string): PageState {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const text = values.get("text");
  return {
    tab: TABS.find((tab) => tab === values.get("tab")) ?? INITIAL_STATE.tab,
    run: values.get("run"),
    text: text === null ? null : cutText(text),
    sentences: values.get("sentences"),
    pooling: POOLING_MODES.find((mode) => mode === values.get("pooling")) ?? null,
    normalize: NORMALIZE_MODES.find((mode) => mode === values.get("normalize")) ?? null,
    similarity: PAGE_SIMILARITIES.find((each) => each === values.get("similarity")) ??
      INITIAL_STATE.similarity,
  };
}

/** Writes a state as a hash, on any tab; returns an empty string for {@link INITIAL_STATE}. */
export function writePageState(state: PageState): string {
  const held = KEYS.flatMap((key) => {
    const value = state[key];
    return value === null || value === INITIAL_STATE[key] ? [] : [[key, value]];
  });
  return held.length === 0 ? "" : `#${new URLSearchParams(held)}`;
}
