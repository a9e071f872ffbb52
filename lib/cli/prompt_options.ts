/**
 * The options by which tasks take a prompt, as `encode` of sentence-transformers does.
 * @module
 */
import type { PromptChoice } from "@/text/prompts.ts";
import type { Options } from "./arguments.ts";

/** Options of tasks that encode texts. */
export const PROMPT_OPTIONS = {
  "prompt-name": {
    type: "string",
    value: "NAME",
    byDefault: "the model's own, if it has one",
    help: "which of the model's prompts begins each text",
  },
  prompt: { type: "string", value: "TEXT", help: 'the prompt that begins each text; "" for none' },
} as const satisfies Options;

/** The choice that the options make. */
export function readPromptChoice(
  values: { readonly "prompt-name": string | undefined; readonly prompt: string | undefined },
): PromptChoice {
  return { promptName: values["prompt-name"], prompt: values.prompt };
}
