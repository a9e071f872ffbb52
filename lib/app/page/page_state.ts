/**
 * What the page shows, as the part of its address after `#`: a link to a page shows what its sender saw,
 * and tells nothing else.
 * @module
 */
import { LIMITS } from "@/app/limits.ts";
import { NORMALIZE_MODES, type NormalizeMode, POOLING_MODES, type PoolingMode } from "@/config.ts";
import type { Similarity } from "@/eval/similarity.ts";

/** The page's tabs. */
export const TABS = ["read", "compare", "report"] as const;

/** One of {@link TABS}. */
export type Tab = typeof TABS[number];

/** How the page compares sentences. */
export const PAGE_SIMILARITIES = ["cosine", "dot"] as const satisfies readonly Similarity[];

/** One of {@link PAGE_SIMILARITIES}. */
export type PageSimilarity = typeof PAGE_SIMILARITIES[number];

/** What the page shows; null is the model's own. */
export type PageState = {
  readonly tab: Tab;
  readonly text: string;
  readonly sentences: string;
  readonly pooling: PoolingMode | null;
  readonly normalize: NormalizeMode | null;
  readonly similarity: PageSimilarity;
};

/** What each tab shows of a state. */
const SHOWN: Readonly<Record<Tab, readonly (keyof PageState)[]>> = {
  read: ["text"],
  compare: ["sentences", "pooling", "normalize", "similarity"],
  report: [],
};

/** As much of a text as is read at once, no character halved. */
export function cutText(text: string): string {
  const cut = text.slice(0, LIMITS.characters);
  return cut.length < text.length ? cut.replace(/[\uD800-\uDBFF]$/, "") : text;
}

/** The state that an address's hash tells; what it leaves out, or tells wrongly, is as in `start`. */
export function readPageState(hash: string, start: PageState): PageState {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  return {
    tab: TABS.find((tab) => tab === values.get("tab")) ?? start.tab,
    text: cutText(values.get("text") ?? start.text),
    sentences: values.get("sentences") ?? start.sentences,
    pooling: POOLING_MODES.find((mode) => mode === values.get("pooling")) ?? start.pooling,
    normalize: NORMALIZE_MODES.find((mode) => mode === values.get("normalize")) ?? start.normalize,
    similarity: PAGE_SIMILARITIES.find((each) => each === values.get("similarity")) ??
      start.similarity,
  };
}

/** The hash of an address that tells what the tab of `state` shows, where it is not as in `start`. */
export function writePageState(state: PageState, start: PageState): string {
  const told = (["tab", ...SHOWN[state.tab]] as const).flatMap((key) => {
    const value = state[key];
    return value === null || value === start[key] ? [] : [[key, value]];
  });
  return told.length === 0 ? "" : `#${new URLSearchParams(told)}`;
}
