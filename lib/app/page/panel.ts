/**
 * Types and helpers that all tabs of the page share.
 * @module
 */
/// <reference lib="dom" />
import type { ModelInfo } from "@/app/contract.ts";
import type { ModelClient } from "./model_client.ts";
import { make } from "./elements.ts";
import type { PageState } from "./page_state.ts";

/** Milliseconds without a keystroke before typed text is sent. */
export const TYPING_MS = 250;

/** State and model that a tab shows. */
export type View = { readonly state: PageState; readonly model: ModelInfo };

/** Differences between the served page and the static page. */
export type PageOptions = {
  /** Address of a run's report or card. */
  readonly fileOf: (kind: "report" | "card", run: string) => string;
  /** Description of where the model runs, such as `on the server`. */
  readonly computed: string;
  /** Base URL of the API with a trailing slash; null if there is no server. */
  readonly api: string | null;
};

/** Functions of the page that its tabs use. */
export type PageContext = PageOptions & {
  readonly client: ModelClient;
  /** Current state and model; null until the model is ready. */
  readonly view: () => View | null;
  /**
   * Updates the state. With `push`, adds an entry to the browser history; otherwise replaces the current entry after
   * `waitMs` milliseconds.
   */
  readonly change: (
    part: Partial<PageState>,
    options?: { readonly push?: boolean; readonly waitMs?: number },
  ) => void;
  /** Announces a message in the live region. */
  readonly announce: (words: string) => void;
  /** URL that reproduces the current view. */
  readonly address: () => string;
};

/** Tab of the page. */
export type Panel = {
  /** Shows the state in the tab's controls; `model` is null until it is ready. */
  show(state: PageState, model: ModelInfo | null): void;
  /** Requests and shows the tab's results; called while the tab is open. */
  refresh?(view: View, signal: AbortSignal): Promise<void>;
  /** Element that shows the results; emptied if a request fails. */
  readonly place?: HTMLElement;
};

/** Current text of the tab "Read a text". */
export const textOf = ({ text }: PageState, model: ModelInfo | null): string =>
  text ?? model?.examples[0] ?? "";

/** Current sentences of the tab "Compare sentences", one per line. */
export const sentencesOf = ({ sentences }: PageState, model: ModelInfo | null): string =>
  sentences ?? (model === null ? "" : asLines(model.examples));

/** Joins texts, one per line; line breaks within a text become spaces. */
export function asLines(texts: readonly string[]): string {
  return texts.map((text) => text.trim().replace(/\s*[\r\n]+\s*/g, " ")).join("\n");
}

/** Creates a button that selects an example. */
export function exampleButton(label: string, choose: () => void): HTMLElement {
  const button = make("button", { type: "button", dir: "auto", title: label }, label);
  button.addEventListener("click", choose);
  return button;
}
