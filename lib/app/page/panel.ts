/**
 * What the page's tabs have in common.
 * @module
 */
/// <reference lib="dom" />
import type { ModelInfo } from "@/app/contract.ts";
import type { Answerer } from "./answerer.ts";
import { make } from "./elements.ts";
import type { PageState } from "./page_state.ts";

/** Milliseconds of rest before what was typed is asked. */
export const TYPING_MS = 250;

/** The page as a tab sees it. */
export type View = { readonly state: PageState; readonly model: ModelInfo };

/** Differences between the served page and the static one. */
export type PageOptions = {
  /** Where the report and the card of a run are. */
  readonly fileOf: (kind: "report" | "card", run: string) => string;
  /** Where answers are computed, in words such as `on the server`. */
  readonly computed: string;
  /** Address of the API, with a slash at its end; null: there is no server. */
  readonly api: string | null;
};

/** The way from a tab to the page. */
export type PageContext = PageOptions & {
  readonly answerer: Answerer;
  /** What is shown now; null until the model is ready. */
  readonly view: () => View | null;
  /**
   * Changes the state. `push` makes a new entry of the history, which Back returns from; otherwise the present
   * one is replaced, after a rest of `waitMs`.
   */
  readonly change: (
    part: Partial<PageState>,
    options?: { readonly push?: boolean; readonly waitMs?: number },
  ) => void;
  /** Says something in the live region. */
  readonly say: (words: string) => void;
  /** Address that shows the same to others. */
  readonly address: () => string;
};

/** A tab. */
export type Panel = {
  /** Shows the state in the tab's controls; a null model is not ready yet. */
  show(state: PageState, model: ModelInfo | null): void;
  /** Asks for what the tab shows; called while the tab is open. */
  ask?(view: View, signal: AbortSignal): Promise<void>;
  /** Element that shows answers; emptied where there is none. */
  readonly place?: HTMLElement;
};

/** The text that a state shows. */
export const textOf = ({ text }: PageState, model: ModelInfo | null): string =>
  text ?? model?.examples[0] ?? "";

/** The sentences that a state compares, one a line. */
export const sentencesOf = ({ sentences }: PageState, model: ModelInfo | null): string =>
  sentences ?? (model === null ? "" : asLines(model.examples));

/** Texts as sentences, one a line. */
export function asLines(texts: readonly string[]): string {
  return texts.map((text) => text.trim().replace(/\s*[\r\n]+\s*/g, " ")).join("\n");
}

/** A button for an example. */
export function exampleButton(label: string, choose: () => void): HTMLElement {
  const button = make("button", { type: "button", dir: "auto", title: label }, label);
  button.addEventListener("click", choose);
  return button;
}
