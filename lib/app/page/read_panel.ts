/**
 * Tab that predicts labels and entities of one text: label probabilities as bars, entities marked in the text, and a legend
 * that filters entity types.
 * @module
 */
/// <reference lib="dom" />

import type { ModelInfo } from "@/app/contract.ts";
import type { PredictedEntity, PredictedLabel, TextPrediction } from "@/eval/text_predictor.ts";
import { find, make, makeCopyButton } from "./elements.ts";
import { cutText } from "./page_state.ts";
import { exampleButton, type PageContext, type Panel, textOf, TYPING_MS } from "./panel.ts";
import { splitWords } from "@/split_words.ts";
import { entityStyle, listTypes } from "./palette.ts";

/** Creates the tab. */
export function createReadPanel({ client, change, announce, address }: PageContext): Panel {
  const text = find("text", HTMLTextAreaElement);
  const place = find("reading", HTMLElement), actions = find("reading-actions", HTMLElement);
  const hidden: HiddenTypes = new Map();
  let shown: TextPrediction | null = null;
  let examplesOf: ModelInfo | null = null;

  text.addEventListener(
    "input",
    () => change({ text: cutText(text.value) }, { waitMs: TYPING_MS }),
  );
  makeCopyButton(find("copy-reading", HTMLButtonElement), {
    text: () => JSON.stringify(shown, null, 2),
    announce,
  });
  makeCopyButton(find("link-reading", HTMLButtonElement), { text: address, announce });

  return {
    place,
    show(state, model) {
      const wanted = textOf(state, model);
      if (cutText(text.value) !== wanted) text.value = wanted;
      if (model === null || model === examplesOf) return;
      examplesOf = model;
      find("text-examples", HTMLElement).replaceChildren(
        ...model.examples.map((each) =>
          exampleButton(each, () => change({ text: cutText(each) }, { push: true }))
        ),
      );
    },
    async refresh({ state, model }, signal) {
      const wanted = textOf(state, model);
      actions.hidden = true;
      if (model.tasks.length === 0) {
        const words =
          'This model has no tasks: it only computes embeddings. See "Compare sentences".';
        place.replaceChildren(make("p", { class: "quiet" }, words));
        announce("");
        return;
      }
      if (wanted.trim() === "") {
        place.replaceChildren(
          make("p", { class: "quiet" }, "Type a text, or choose an example."),
        );
        announce("");
        return;
      }
      const { predictions: [prediction], tookMs } = await client.predict([wanted], {
        run: model.run,
        signal,
      });
      if (signal.aborted || prediction === undefined) return;
      shown = prediction;
      const limits = describeLimits(text.value, model);
      place.replaceChildren(
        ...limits.map((words) => make("p", { class: "quiet note" }, words)),
        ...showReading(prediction, { model, hidden }),
      );
      actions.hidden = false;
      announce([...limits, describeReading(prediction, tookMs)].join(" "));
    },
  };
}

/** Formats a probability as a percentage. */
function percent(probability: number): string {
  return `${(100 * probability).toFixed(1)} %`;
}

/** Formats a number of entities. */
function countEntities(count: number): string {
  return count === 0 ? "no entities" : `${count} ${count === 1 ? "entity" : "entities"}`;
}

function labelCard(task: string, { label, probabilities }: PredictedLabel): HTMLElement {
  const rows = Object.entries(probabilities).map(([name, probability]) => {
    const fill = make("span");
    fill.style.width = percent(probability).replace(" ", "");
    const best = name === label ? "best" : "";
    return make(
      "li",
      {},
      make("span", { class: `label ${best}`, dir: "auto" }, name),
      make("span", { class: "bar", "aria-hidden": "true" }, fill),
      make("span", { class: `share ${best}` }, percent(probability)),
    );
  });
  const title = make("h2", {}, make("bdi", {}, task), ": ", make("bdi", { class: "value" }, label));
  return make(
    "section",
    { class: "card", "aria-label": `${task}: ${label}` },
    title,
    make("ul", { class: "labels" }, ...rows),
  );
}

/** Styles an element as an entity type. */
function paint(element: HTMLElement, index: number): HTMLElement {
  const { fill, edge, underline } = entityStyle(index);
  element.style.setProperty("--fill", fill);
  element.style.setProperty("--edge", edge);
  element.dataset["underline"] = underline;
  return element;
}

function markText(
  text: string,
  entities: readonly PredictedEntity[],
  types: readonly string[],
): readonly (Node | string)[] {
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const { start, end, type, probability } of entities) {
    const note = make(
      "small",
      { dir: "ltr" },
      " ",
      make("bdi", {}, type),
      ` ${percent(probability)}`,
    );
    const marked = make("mark", { "data-type": type }, text.slice(start, end), note);
    parts.push(text.slice(at, start), paint(marked, types.indexOf(type)));
    at = end;
  }
  return [...parts, text.slice(at)];
}

/** One toggle button per entity type; entities of pressed types are shown. */
function legend(
  types: readonly string[],
  { entities, hidden, onToggle }: {
    readonly entities: readonly PredictedEntity[];
    readonly hidden: ReadonlySet<string>;
    readonly onToggle: (type: string) => void;
  },
): HTMLElement {
  const buttons = types.map((type, i) => {
    const count = entities.filter((entity) => entity.type === type).length;
    const button = make(
      "button",
      {
        type: "button",
        class: count === 0 ? "absent" : "",
        "aria-pressed": String(!hidden.has(type)),
        title: countEntities(count),
      },
      paint(make("span", { class: "swatch", "aria-hidden": "true" }), i),
      make("bdi", {}, type),
      " ",
      make("span", { class: "count" }, String(count)),
    );
    button.addEventListener("click", () => {
      onToggle(type);
      button.setAttribute("aria-pressed", String(!hidden.has(type)));
    });
    return button;
  });
  return make(
    "div",
    { class: "types", role: "group", "aria-label": "Entity types shown" },
    ...buttons,
  );
}

/** Data of an entity card. */
type EntityOptions = {
  readonly text: string;
  readonly entities: readonly PredictedEntity[];
  readonly labels: readonly string[];
  /** Hidden types; modified by the legend. */
  readonly hidden: Set<string>;
};

function entityCard(task: string, { text, entities, labels, hidden }: EntityOptions): HTMLElement {
  const types = listTypes(labels);
  const title = make("h2"), marked = make("p", { class: "marked", dir: "auto" });
  const show = () => {
    const shown = entities.filter(({ type }) => !hidden.has(type));
    const rest = entities.length - shown.length;
    title.replaceChildren(
      make("bdi", {}, task),
      `: ${countEntities(shown.length)}${rest > 0 ? `, ${rest} hidden` : ""}`,
    );
    marked.replaceChildren(...markText(text, shown, types));
  };
  const onToggle = (type: string) => {
    if (!hidden.delete(type)) hidden.add(type);
    show();
  };
  show();
  return make(
    "section",
    { class: "card", "aria-label": `${task}: entities` },
    title,
    ...types.length > 0 ? [legend(types, { entities, hidden, onToggle })] : [],
    marked,
  );
}

/** Entity types that the user has hidden, by task. */
type HiddenTypes = Map<string, Set<string>>;

/** Cards of a prediction, one per task. */
function showReading(
  { text, labels, entities }: TextPrediction,
  { model, hidden }: { readonly model: ModelInfo; readonly hidden: HiddenTypes },
): readonly HTMLElement[] {
  return model.tasks.flatMap(({ name, labels: names }) => {
    const label = labels[name], found = entities[name];
    if (label !== undefined) return [labelCard(name, label)];
    if (found === undefined) return [];
    const hiddenTypes = hidden.get(name) ?? new Set<string>();
    hidden.set(name, hiddenTypes);
    return [entityCard(name, { text, entities: found, labels: names, hidden: hiddenTypes })];
  });
}

/** Sentences that say which part of a typed text the model does not read; empty if it reads everything. */
function describeLimits(typed: string, { maxLength, tasks }: ModelInfo): readonly string[] {
  const write = (count: number) => count.toLocaleString("en-US");
  const { length } = cutText(typed);
  const most = maxLength - 2; // without [CLS] and [SEP]
  const words = splitWords(typed).length; // each word has at least one token
  const classified = tasks.filter(({ kind }) => kind === "classification").map(({ name }) => name);
  return [
    ...typed.length > length
      ? [`Only the first ${write(length)} of ${write(typed.length)} characters are read.`]
      : [],
    ...words > most && classified.length > 0
      ? [`For ${classified.join(" and ")} only the first ${write(most)} tokens are read.`]
      : [],
  ];
}

/** Isolates a right-to-left name from the text that follows it, by Unicode isolate characters. */
function isolate(name: string): string {
  return /[\u0590-\u08ff\ufb1d-\ufefc]/.test(name) ? `\u2068${name}\u2069` : name;
}

/** Summarizes a prediction in one sentence, for the live region. */
export function describeReading({ labels, entities }: TextPrediction, tookMs: number): string {
  const found = [
    ...Object.entries(labels).map(([task, { label, probability }]) =>
      `${isolate(task)}: ${isolate(label)} ${percent(probability)}`
    ),
    ...Object.entries(entities).map(([task, list]) =>
      `${isolate(task)}: ${countEntities(list.length)}`
    ),
  ];
  return `${found.join(", ")} · ${tookMs.toFixed(1)} ms`;
}
