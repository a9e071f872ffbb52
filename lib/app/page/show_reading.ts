/**
 * What was read from a text: topics as bars, entities marked where they stand.
 * @module
 */
/// <reference lib="dom" />
import type { PredictedEntity, PredictedLabel, TextPrediction } from "@/eval/read_texts.ts";
import { splitWords } from "@/text/split_words.ts";
import { make } from "./elements.ts";
import { cutText } from "./page_state.ts";

/** A share of 1 as people read it. */
function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function topicCard(task: string, { label, probabilities }: PredictedLabel): HTMLElement {
  const rows = Object.entries(probabilities).map(([name, share]) => {
    const fill = make("span");
    fill.style.width = percent(share).replace(" ", "");
    const best = name === label ? "best" : "";
    return make(
      "li",
      {},
      make("span", { class: best }, name),
      make("span", { class: "bar", "aria-hidden": "true" }, fill),
      make("span", { class: `share ${best}` }, percent(share)),
    );
  });
  return make(
    "section",
    { class: "card", "aria-label": `Topic, ${task}` },
    make("h2", {}, `Topic: ${label}`),
    make("ul", { class: "topics" }, ...rows),
  );
}

function markedText(text: string, entities: readonly PredictedEntity[]): HTMLElement {
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const { start, end, type, probability } of entities) {
    const note = make("small", {}, ` ${type} ${percent(probability)}`);
    parts.push(
      text.slice(at, start),
      make("mark", { "data-type": type }, text.slice(start, end), note),
    );
    at = end;
  }
  return make("p", { class: "marked" }, ...parts, text.slice(at));
}

function entityCard(
  task: string,
  { text, entities }: { readonly text: string; readonly entities: readonly PredictedEntity[] },
): HTMLElement {
  const count = entities.length;
  const title = count === 0 ? "No entities" : `${count} ${count === 1 ? "entity" : "entities"}`;
  return make(
    "section",
    { class: "card", "aria-label": `Entities, ${task}` },
    make("h2", {}, title),
    markedText(text, entities),
  );
}

/** Cards of a prediction, one a task. */
export function showReading({ text, labels, entities }: TextPrediction): readonly HTMLElement[] {
  return [
    ...Object.entries(labels).map(([task, label]) => topicCard(task, label)),
    ...Object.entries(entities).map(([task, found]) => entityCard(task, { text, entities: found })),
  ];
}

/** What is not read of a text as it was typed, by a model that takes `maxLength` pieces at once. */
export function describeLimits(typed: string, maxLength: number): readonly string[] {
  const write = (count: number) => count.toLocaleString("en-US");
  const { length } = cutText(typed);
  const most = maxLength - 2; // beside [CLS] and [SEP]
  const words = splitWords(typed).length; // each of them is a piece or more
  return [
    ...typed.length > length
      ? [`Only the first ${write(length)} of ${write(typed.length)} characters are read.`]
      : [],
    ...words > most ? [`The topic is that of the first ${write(most)} word pieces.`] : [],
  ];
}

/** The prediction in a sentence, for a live region. */
export function describeReading({ labels, entities }: TextPrediction, tookMs: number): string {
  const topics = Object.values(labels).map(({ label, probability }) =>
    `${label} ${percent(probability)}`
  );
  const count = Object.values(entities).reduce((sum, found) => sum + found.length, 0);
  return `${[...topics, `${count} ${count === 1 ? "entity" : "entities"}`].join(", ")} · ` +
    `${tookMs.toFixed(1)} ms`;
}
