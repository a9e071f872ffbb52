/**
 * Starts the page: tabs, choice of the run, browser history and messages. Requests go to a {@link ModelClient}.
 * @module
 */
/// <reference lib="dom" />

import type { Health, ModelInfo } from "@/app/contract.ts";
import type { ModelClient } from "./model_client.ts";
import { createApiPanel } from "./api_panel.ts";
import { createComparePanel } from "./compare_panel.ts";
import { find, make } from "./elements.ts";
import { createFilePanel } from "./file_panel.ts";
import { createAboutPanel, createReportPanel } from "./frame_panels.ts";
import { type PageState, readPageState, type Tab, TABS, writePageState } from "./page_state.ts";
import { type PageContext, type PageOptions, type Panel, sentencesOf, textOf } from "./panel.ts";
import { createReadPanel } from "./read_panel.ts";

/** Shown for models trained on the built-in sample. */
const SAMPLE_WARNING =
  "This model was trained on the built-in sample: generated sentences with invented names. " +
  "On real sentences it is often wrong, even with high probabilities.";

/** Message of an error. */
const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);

/** Starts the page. */
export async function startPage(client: ModelClient, options: PageOptions): Promise<void> {
  const status = find("status", HTMLElement), problem = find("problem", HTMLElement);
  const runs = find("run", HTMLSelectElement);
  let state = readPageState(location.hash);
  let request = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let defaultModel: ModelInfo | null = null, model: ModelInfo | null = null;

  /** Sets the text of a live region, unless it is unchanged, so that screen readers announce it once. */
  const setText = (place: HTMLElement, words: string) => {
    if (place.textContent !== words) place.textContent = words;
  };
  const announce = (words: string) => setText(status, words);
  const showError = (words: string | null) => {
    problem.hidden = words === null;
    setText(problem, words ?? "");
  };

  const addressOf = (shown: PageState) =>
    `${location.pathname}${location.search}${writePageState(shown)}`;
  /** Writes the state into the page's URL. */
  const updateUrl = (how: "push" | "replace") => {
    const address = addressOf(state);
    if (address === `${location.pathname}${location.search}${location.hash}`) return;
    try {
      if (how === "push") history.pushState(null, "", address);
      else history.replaceState(null, "", address);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // browsers may reject many changes in a short time
    }
  };
  const change: PageContext["change"] = (part, { push = false, waitMs = 0 } = {}) => {
    clearTimeout(timer);
    if (push) updateUrl("replace"); // pending typed text belongs to the previous history entry
    state = { ...state, ...part };
    show();
    if (push) {
      updateUrl("push");
      refresh();
      return;
    }
    timer = setTimeout(() => {
      updateUrl("replace");
      refresh();
    }, waitMs);
  };
  const context: PageContext = {
    ...options,
    client,
    view: () => model === null ? null : { state, model },
    change,
    announce,
    address: () => {
      if (model === null) return location.href;
      const { run } = model;
      const whole = {
        ...state,
        run,
        text: textOf(state, model),
        sentences: sentencesOf(state, model),
      };
      return new URL(addressOf(whole), location.href).href;
    },
  };
  const panels: Readonly<Record<Tab, Panel>> = {
    read: createReadPanel(context),
    file: createFilePanel(context),
    compare: createComparePanel(context),
    api: createApiPanel(context),
    report: createReportPanel(context),
    about: createAboutPanel(context),
  };

  /** Requests the results of the open tab and cancels the previous request. */
  const refresh = async () => {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    showError(null);
    const { refresh, place } = panels[state.tab];
    if (model === null || refresh === undefined) return;
    place?.setAttribute("aria-busy", "true");
    try {
      await refresh({ state, model }, signal);
    } catch (error) {
      if (signal.aborted) return;
      place?.replaceChildren();
      announce("");
      showError(messageOf(error));
    }
    if (!signal.aborted) place?.setAttribute("aria-busy", "false");
  };

  /** Updates all controls from the state. */
  const show = () => {
    for (const tab of TABS) {
      const button = find(`tab-${tab}`, HTMLButtonElement);
      button.setAttribute("aria-selected", String(tab === state.tab));
      button.tabIndex = tab === state.tab ? 0 : -1;
      find(`panel-${tab}`, HTMLElement).hidden = tab !== state.tab;
    }
    for (const panel of Object.values(panels)) panel.show(state, model);
    if (panels[state.tab].place === undefined) announce("");
  };
  const open = (tab: Tab) => {
    if (tab !== state.tab) change({ tab }, { push: true });
    find(`tab-${tab}`, HTMLButtonElement).focus();
  };

  /** Shows the facts about the model, without a request to it. */
  const showModel = () => {
    if (model === null) return;
    const { run, tasks, pooling, trainedOnSample } = model;
    runs.value = run;
    const names = tasks.map(({ name }) => name).join(" and ");
    find("about", HTMLElement).textContent = `Run ${run}: ${
      names === "" ? "no tasks" : names
    }, ${pooling} pooling; computed ${options.computed}.`;
    const banner = find("banner", HTMLElement);
    banner.hidden = !trainedOnSample;
    const others = runs.length > 1 ? " You can select another run above." : "";
    setText(banner, trainedOnSample ? SAMPLE_WARNING + others : "");
    show();
  };
  /** Opens the run of the state unless it is open already. */
  const openRun = async () => {
    const wanted = state.run ?? defaultModel?.run;
    if (wanted === undefined || wanted === model?.run) return;
    request.abort();
    announce(`Opening run ${wanted}.`);
    try {
      const opened = await client.open(wanted);
      if (wanted !== (state.run ?? defaultModel?.run)) return; // the user has selected another run in the meantime
      model = opened;
      announce("");
    } catch (error) {
      announce("");
      runs.value = model?.run ?? "";
      state = { ...state, run: model?.run ?? null };
      throw error;
    } finally {
      showModel();
    }
  };
  /** Updates the page after a state change that may include the run. */
  const follow = async () => {
    show();
    try {
      await openRun();
    } catch (error) {
      showError(messageOf(error));
      return;
    }
    await refresh();
  };

  for (const [i, tab] of TABS.entries()) {
    const button = find(`tab-${tab}`, HTMLButtonElement);
    button.addEventListener("click", () => open(tab));
    button.addEventListener("keydown", (event) => {
      const to = {
        ArrowRight: i + 1,
        ArrowLeft: i + TABS.length - 1,
        Home: 0,
        End: TABS.length - 1,
      }[event.key];
      const next = to === undefined ? undefined : TABS[to % TABS.length];
      if (next === undefined) return;
      event.preventDefault(); // Home and End would scroll
      open(next);
    });
  }
  runs.addEventListener("change", () => {
    clearTimeout(timer);
    updateUrl("replace");
    state = { ...state, run: runs.value === defaultModel?.run ? null : runs.value };
    updateUrl("push");
    follow();
  });
  addEventListener("popstate", () => {
    if (location.hash === "#main") return; // the link "Skip to content"
    clearTimeout(timer);
    state = readPageState(location.hash);
    follow();
  });

  show();
  try {
    defaultModel = model = await untilReady(client, { announce, showError });
    const names = await client.runs();
    runs.append(...names.map((name) => make("option", { value: name }, name)));
    find("run-choice", HTMLElement).hidden = names.length < 2;
  } catch (error) {
    announce("");
    showError(messageOf(error));
    return;
  }
  announce("");
  showModel();
  await follow();
}

const POLL_MS = 500;

/** Outputs for messages to the user. */
type StatusOutput = {
  /** Announces the current activity. */
  announce(words: string): void;
  /** Shows an error; null removes it. */
  showError(words: string | null): void;
};

/**
 * Polls until the model is ready and shows the progress. The activity is announced once in words; the numbers only
 * move a progress bar, because screen readers read every text change aloud. If a request fails, it is repeated.
 */
async function untilReady(
  client: ModelClient,
  { announce, showError }: StatusOutput,
): Promise<ModelInfo> {
  const bar = find("progress", HTMLProgressElement);
  for (;;) {
    let found: Health | null = null;
    try {
      found = await client.health();
      showError(null);
    } catch (error) {
      showError(error instanceof Error ? error.message : String(error));
    }
    bar.hidden = found?.status !== "starting";
    if (found?.status === "ready") return found.model;
    if (found?.status === "failed") throw new Error(found.message);
    if (found !== null) {
      announce(`Getting ready: ${found.label}.`);
      bar.max = Math.max(1, found.total);
      bar.value = found.done;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
