/**
 * The options by which tasks take a prompt, as `encode` of sentence-transformers does.
 * @module
 */
import { type PromptChoice, type PromptSettings, resolvePrompt } from "@/text/prompts.ts";
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

/**
 * The prompt that the options choose of the model's `prompts`; a note on stderr names a default prompt that
 * nobody chose.
 */
export function choosePrompt(
  prompts: PromptSettings,
  values: { readonly "prompt-name": string | undefined; readonly prompt: string | undefined },
): string {
  const choice: PromptChoice = { promptName: values["prompt-name"], prompt: values.prompt };
  const prompt = resolvePrompt(prompts, choice);
  if (prompt !== "" && choice.promptName === undefined && choice.prompt === undefined) {
    console.error(
      `Each text begins with ${JSON.stringify(prompt)}, the model's default prompt ` +
        `"${prompts.defaultPromptName}"; --prompt= leaves it out.`,
    );
  }
  return prompt;
}
