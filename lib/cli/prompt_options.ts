/**
 * Options that choose a prompt, like those of `encode` in sentence-transformers.
 * @module
 */
import { type PromptChoice, type PromptSettings, resolvePrompt } from "@/text/prompts.ts";
import type { Options } from "./arguments.ts";

/** Prompt options of tasks that encode texts. */
export const PROMPT_OPTIONS = {
  "prompt-name": {
    type: "string",
    value: "NAME",
    byDefault: "the model's own, if it has one",
    help: "name of the model's prompt to prepend to each text",
  },
  prompt: { type: "string", value: "TEXT", help: 'prompt to prepend to each text; "" for none' },
} as const satisfies Options;

/**
 * Resolves the prompt from the options and the model's `prompts`. If the model's default prompt applies without having
 * been requested, a note on stderr says so.
 */
export function choosePrompt(
  prompts: PromptSettings,
  values: { readonly "prompt-name": string | undefined; readonly prompt: string | undefined },
): string {
  const choice: PromptChoice = { promptName: values["prompt-name"], prompt: values.prompt };
  const prompt = resolvePrompt(prompts, choice);
  if (prompt !== "" && choice.promptName === undefined && choice.prompt === undefined) {
    console.error(
      `The model's default prompt "${prompts.defaultPromptName}" is prepended to each text: ` +
        `${JSON.stringify(prompt)}. Write --prompt= for none.`,
    );
  }
  return prompt;
}
