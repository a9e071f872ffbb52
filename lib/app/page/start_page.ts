/**
 * The page: its tabs, what is typed into it, and what it shows. It knows nothing of who answers.
 * @module
 */
/// <reference lib="dom" />
import { NORMALIZE_MODES, POOLING_MODES } from "@/config.ts";
import type { ModelInfo } from "@/app/contract.ts";
import { LIMITS } from "@/app/limits.ts";
import type { Answerer } from "./answerer.ts";
import { find, make } from "./elements.ts";
import { SENTENCE_EXAMPLES, TEXT_EXAMPLES } from "./examples.ts";
import {
  cutText,
  PAGE_SIMILARITIES,
  type PageState,
  readPageState,
  type Tab,
  TABS,
  writePageState,
} from "./page_state.ts";
import { showComparison } from "./show_comparison.ts";
import { describeLimits, describeReading, showReading } from "./show_reading.ts";
import { untilReady } from "./until_ready.ts";

const START: PageState = {
  tab: "read",
  text: TEXT_EXAMPLES[0],
  sentences: SENTENCE_EXAMPLES["Two topics"].join("\n"),
  pooling: null,
  normalize: null,
  similarity: "cosine",
};

const TYPING_MS = 250; // of rest before what was typed is asked
const MOST_SENTENCES = 12;

/** What differs from page to page. */
export type PageOptions = {
  /** Where the run's report is, if there is one. */
  readonly reportPath: string;
  /** Where answers are computed, in words such as `on the server`. */
  readonly computed: string;
};

/** Starts the page over whoever answers. */
export async function startPage(
  answerer: Answerer,
  { reportPath, computed }: PageOptions,
): Promise<void> {
  const status = find("status", HTMLElement), problem = find("problem", HTMLElement);
  const text = find("text", HTMLTextAreaElement);
  const sentences = find("sentences", HTMLTextAreaElement);
  const pooling = find("pooling", HTMLSelectElement),
    normalize = find("normalize", HTMLSelectElement),
    similarity = find("similarity", HTMLSelectElement);
  let state = readPageState(location.hash, START);
  let asked = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let model: ModelInfo | null = null;

  /** Says something where it is read aloud, each thing once. */
  const tell = (place: HTMLElement, words: string) => {
    if (place.textContent !== words) place.textContent = words;
  };
  const say = (words: string) => tell(status, words);
  const complain = (words: string | null) => {
    problem.hidden = words === null;
    tell(problem, words ?? "");
  };

  /** Asks anew for what the tab shows; an answer that is no longer wanted is given up. */
  const ask = async () => {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    if (model === null || state.tab === "report") return;
    const place = find(state.tab === "read" ? "reading" : "comparison", HTMLElement);
    place.setAttribute("aria-busy", "true");
    try {
      complain(null);
      if (state.tab === "read") await read(place, signal);
      else await compare(place, signal);
    } catch (error) {
      if (signal.aborted) return;
      place.replaceChildren();
      say("");
      complain(error instanceof Error ? error.message : String(error));
    }
    place.setAttribute("aria-busy", "false");
  };
  const read = async (place: HTMLElement, signal: AbortSignal) => {
    if (state.text.trim() === "") {
      place.replaceChildren(make("p", { class: "quiet" }, "Type a text, or choose an example."));
      say("");
      return;
    }
    const { predictions: [prediction], tookMs } = await answerer.predict([state.text], signal);
    if (signal.aborted || prediction === undefined) return;
    const limits = describeLimits(text.value, model?.maxLength ?? Infinity);
    place.replaceChildren(
      ...limits.map((words) => make("p", { class: "quiet note" }, words)),
      ...showReading(prediction),
    );
    say([...limits, describeReading(prediction, tookMs)].join(" "));
  };
  const compare = async (place: HTMLElement, signal: AbortSignal) => {
    const lines = state.sentences.split("\n").map((line) => line.trim()).filter((line) =>
      line !== ""
    );
    if (lines.length < 2) {
      place.replaceChildren(
        make("p", { class: "quiet" }, "Give at least two sentences, one a line."),
      );
      say("");
      return;
    }
    const taken = lines.slice(0, MOST_SENTENCES);
    const long = taken.findIndex(({ length }) => length > LIMITS.characters);
    if (long >= 0) {
      throw new RangeError(
        `Cannot compare as a sentence must have at most ${LIMITS.characters} characters: ` +
          `number ${long + 1} has ${taken[long]?.length}`,
      );
    }
    const { embeddings, tookMs, ...way } = await answerer.encode(taken, state, signal);
    if (signal.aborted) return;
    place.replaceChildren(
      showComparison({ sentences: taken, vectors: embeddings, similarity: state.similarity }),
    );
    const more = lines.length > taken.length
      ? `, the first ${MOST_SENTENCES} of ${lines.length}`
      : "";
    const by = `${
      similarity.selectedOptions[0]?.text
    }, ${way.pooling} pooling, normalization ${way.normalize}`;
    say(`${taken.length} sentences compared by ${by}${more} · ${tookMs.toFixed(1)} ms`);
  };

  /** Shows the run's report, or that there is none. */
  const showReport = async () => {
    const frame = find("report", HTMLIFrameElement);
    if (frame.hasAttribute("src")) return;
    const isThere = await fetch(reportPath, { method: "HEAD" }).then(({ ok }) => ok, () => false);
    frame.hidden = !isThere;
    find("no-report", HTMLElement).hidden = isThere;
    if (isThere) frame.src = reportPath;
  };

  /** Shows the tab and the inputs of the state. */
  const show = () => {
    for (const tab of TABS) {
      const button = find(`tab-${tab}`, HTMLButtonElement);
      button.setAttribute("aria-selected", String(tab === state.tab));
      button.tabIndex = tab === state.tab ? 0 : -1;
      find(`panel-${tab}`, HTMLElement).hidden = tab !== state.tab;
    }
    if (cutText(text.value) !== state.text) text.value = state.text;
    if (sentences.value !== state.sentences) sentences.value = state.sentences;
    similarity.value = state.similarity;
    if (model !== null) {
      pooling.value = state.pooling ?? model.pooling;
      normalize.value = state.normalize ?? model.normalize;
      if (state.tab === "report") showReport();
    }
    if (state.tab === "report") say("");
  };
  /** Makes the page's address a link to what it shows. */
  const link = () => {
    const { pathname, search } = location;
    try {
      history.replaceState(null, "", `${pathname}${search}${writePageState(state, START)}`);
    } catch {
      // a browser may refuse where there were many changes: the next one comes
    }
  };
  const change = (part: Partial<PageState>, waitMs = 0) => {
    state = { ...state, ...part };
    show();
    clearTimeout(timer);
    timer = setTimeout(() => {
      link();
      ask();
    }, waitMs);
  };
  const open = (tab: Tab) => {
    change({ tab });
    find(`tab-${tab}`, HTMLButtonElement).focus();
  };

  for (const [i, tab] of TABS.entries()) {
    const button = find(`tab-${tab}`, HTMLButtonElement);
    button.addEventListener("click", () => open(tab));
    button.addEventListener("keydown", ({ key }) => {
      const to =
        { ArrowRight: i + 1, ArrowLeft: i + TABS.length - 1, Home: 0, End: TABS.length - 1 }[key];
      const next = to === undefined ? undefined : TABS[to % TABS.length];
      if (next !== undefined) open(next);
    });
  }
  text.addEventListener("input", () => change({ text: cutText(text.value) }, TYPING_MS));
  sentences.addEventListener("input", () => change({ sentences: sentences.value }, TYPING_MS));
  pooling.addEventListener("change", () => {
    change({ pooling: POOLING_MODES.find((mode) => mode === pooling.value) ?? null });
  });
  normalize.addEventListener("change", () => {
    change({ normalize: NORMALIZE_MODES.find((mode) => mode === normalize.value) ?? null });
  });
  similarity.addEventListener("change", () => {
    const wanted = PAGE_SIMILARITIES.find((each) => each === similarity.value);
    change({ similarity: wanted ?? START.similarity });
  });
  addEventListener("hashchange", () => {
    if (location.hash === "#main") return; // the way past the header
    state = readPageState(location.hash, START);
    show();
    ask();
  });
  const example = (label: string, choose: () => void) => {
    const button = make("button", { type: "button" }, label);
    button.addEventListener("click", choose);
    return button;
  };
  find("text-examples", HTMLElement).append(
    ...TEXT_EXAMPLES.map((each) => example(each, () => change({ text: each }))),
  );
  find("sentence-examples", HTMLElement).append(
    ...Object.entries(SENTENCE_EXAMPLES).map(([name, lines]) =>
      example(name, () => change({ sentences: lines.join("\n") }))
    ),
  );

  show();
  try {
    model = await untilReady(answerer, { say, complain });
  } catch (error) {
    say("");
    complain(error instanceof Error ? error.message : String(error));
    return;
  }
  pooling.append(...model.poolings.map((mode) => make("option", { value: mode }, mode)));
  find("about", HTMLElement).textContent = `Run ${model.run}: ${
    model.tasks.map(({ name }) => name).join(" and ")
  }, ${model.pooling} pooling; computed ${computed}.`;
  say("");
  show();
  await ask();
}
