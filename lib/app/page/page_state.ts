/**
 * The state of the page and its form in the address, after `#`: whoever follows a link sees what its sender saw.
 * @module
 */
import { LIMITS } from "@/app/limits.ts";
import { NORMALIZE_MODES, type NormalizeMode, POOLING_MODES, type PoolingMode } from "@/config.ts";
import type { Similarity } from "@/eval/similarity.ts";

/** The page's tabs. */
export const TABS = ["read", "file", "compare", "api", "report", "about"] as const;

/** One of {@link TABS}. */
export type Tab = typeof TABS[number];

/** How the page compares sentences. */
export const PAGE_SIMILARITIES = ["cosine", "dot"] as const satisfies readonly Similarity[];

/** One of {@link PAGE_SIMILARITIES}. */
export type PageSimilarity = typeof PAGE_SIMILARITIES[number];

/** What the page shows; null stands for the default of the server or of the model. */
export type PageState = {
  readonly tab: Tab;
  readonly run: string | null;
  readonly text: string | null;
  readonly sentences: string | null;
  readonly pooling: PoolingMode | null;
  readonly normalize: NormalizeMode | null;
  readonly similarity: PageSimilarity;
};

/** The state of a page without a hash. */
export const START: PageState = {
  tab: "read",
  run: null,
  text: null,
  sentences: null,
  pooling: null,
  normalize: null,
  similarity: "cosine",
};

const KEYS = Object.keys(START) as readonly (keyof PageState)[];

/** The part of a text that is read at once; no character is halved. */
export function cutText(text: string): string {
  const cut = text.slice(0, LIMITS.characters);
  return cut.length < text.length ? cut.replace(/[\uD800-\uDBFF]$/, "") : text;
}

/** The state that a hash holds; keys that are missing or invalid are as in {@link START}. */
export function readPageState(hash: string): PageState {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const text = values.get("text");
  return {
    tab: TABS.find((tab) => tab === values.get("tab")) ?? START.tab,
    run: values.get("run"),
    text: text === null ? null : cutText(text),
    sentences: values.get("sentences"),
    pooling: POOLING_MODES.find((mode) => mode === values.get("pooling")) ?? null,
    normalize: NORMALIZE_MODES.find((mode) => mode === values.get("normalize")) ?? null,
    similarity: PAGE_SIMILARITIES.find((each) => each === values.get("similarity")) ??
      START.similarity,
  };
}

/** The hash that holds a state, whatever its tab; empty for {@link START}. */
export function writePageState(state: PageState): string {
  const held = KEYS.flatMap((key) => {
    const value = state[key];
    return value === null || value === START[key] ? [] : [[key, value]];
  });
  return held.length === 0 ? "" : `#${new URLSearchParams(held)}`;
}
