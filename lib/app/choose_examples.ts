/**
 * Example texts for models whose own test rows are missing or may not be shown.
 * @module
 */
import type { ModelTask } from "@/model/multi_task.ts";

/** For models of news topics or of people, organizations and places. */
const NEWS = [
  "President Marie Dubois met officials of the United Nations in Geneva on Monday after talks with Iran failed.",
  "Striker Carlos Ortega scored twice as Sevilla beat Ajax 3-1 in the Champions League on Tuesday.",
  "Shares of Siemens rose 4 percent in Frankfurt after the company raised its forecast.",
  "Researchers at Stanford University have built a phone battery that charges in five minutes.",
] as const;

/** For all other models. */
const GENERAL = [
  "The delivery was two days late, but the support team solved it within an hour.",
  "I would buy this again at once: it is light, quiet and easy to clean.",
  "Could you tell me how to change the address of my order?",
  "The screen stopped working after a week, and nobody answers my messages.",
] as const;

/** Labels of models for news topics or named entities. */
const NEWS_LABELS = /^(World|Sports?|Business|Sci\/Tech|[BI]-(PER|PERSON|ORG|LOC|GPE))$/;

/** Chooses example texts by the labels of a model's tasks. */
export function chooseExamples(tasks: readonly Pick<ModelTask, "labels">[]): readonly string[] {
  return tasks.some(({ labels }) => labels.some((label) => NEWS_LABELS.test(label)))
    ? NEWS
    : GENERAL;
}
