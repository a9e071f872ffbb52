/**
 * Prompts: text that is prepended to each input text, as in `encode` of sentence-transformers 6.2. Only
 * `encodeRows` prepends it.
 * @module
 */
import type { Tokenizer } from "@/text/tokenizer.ts";

/** The prompt settings of a model. */
export type PromptSettings = {
  /** Prompts by name; "" prepends nothing. */
  readonly prompts: Readonly<Record<string, string>>;
  /** Name of the prompt that applies if none is chosen; null for no prompt. */
  readonly defaultPromptName: string | null;
  /** If false, pooling skips [CLS] and the tokens of the prompt. */
  readonly includePrompt: boolean;
};

/** Chooses a prompt by text or by name. If both are missing, the model's default applies. */
export type PromptChoice = {
  /** Text of the prompt; "" for no prompt. */
  readonly prompt?: string | undefined;
  /** Name of one of the model's prompts. */
  readonly promptName?: string | undefined;
};

/** Settings of a model without prompts. Every model has these two names. */
export const NO_PROMPTS: PromptSettings = {
  prompts: { query: "", document: "" },
  defaultPromptName: null,
  includePrompt: true,
};

/**
 * Returns the text of the chosen prompt; "" for no prompt.
 *
 * @example
 * ```ts
 * import { NO_PROMPTS, resolvePrompt } from "@/text/prompts.ts";
 * const settings = { ...NO_PROMPTS, prompts: { query: "find: " }, defaultPromptName: "query" };
 * resolvePrompt(settings); // "find: "
 * resolvePrompt(settings, { prompt: "" }); // ""
 * ```
 */
export function resolvePrompt(
  { prompts, defaultPromptName }: Pick<PromptSettings, "prompts" | "defaultPromptName">,
  { prompt, promptName }: PromptChoice = {},
): string {
  if (prompt !== undefined && promptName !== undefined) {
    throw new RangeError("Cannot choose a prompt by both name and text: pass only one of them");
  }
  if (prompt !== undefined) return prompt;
  const name = promptName ?? defaultPromptName;
  if (name === null) return "";
  const found = Object.hasOwn(prompts, name) ? prompts[name] : undefined;
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot find the prompt ${JSON.stringify(name)}: the model's prompts are ${
      Object.keys(prompts).join(", ")
    }`,
  );
}

/**
 * Position of the first token that is pooled: 0, or the one after [CLS] and the prompt if the model excludes its
 * prompt from pooling. The prompt's tokens are counted as sentence-transformers counts them: tokenized alone.
 */
export function findPoolingStart(
  { includePrompt }: Pick<PromptSettings, "includePrompt">,
  prompt: string,
  { tokenizer, maxLength }: { readonly tokenizer: Tokenizer; readonly maxLength: number },
): number {
  if (includePrompt || prompt === "") return 0;
  return 1 + Math.min(tokenizer.encodeText(prompt).length, maxLength - 2);
}
