/**
 * Prompts: the text that a model reads before each text, as `encode` of sentence-transformers 6.2 prepends
 * it. `encodeRows` is the one place that prepends it.
 * @module
 */
import type { Tokenizer } from "@/text/tokenizer.ts";

/** The prompts of a model. */
export type PromptSettings = {
  /** Prompts by name; "" prepends nothing. */
  readonly prompts: Readonly<Record<string, string>>;
  /** Name of the prompt of every text for which no other is chosen; null: none. */
  readonly defaultPromptName: string | null;
  /** False: pooling skips [CLS] and the tokens of the prompt. */
  readonly includePrompt: boolean;
};

/** A choice of prompt; without one, the model's default applies. */
export type PromptChoice = {
  /** The prompt itself; "" for none. */
  readonly prompt?: string | undefined;
  /** Name of one of the model's prompts. */
  readonly promptName?: string | undefined;
};

/** The settings of a model that says nothing about prompts; every model knows these two names. */
export const NO_PROMPTS: PromptSettings = {
  prompts: { query: "", document: "" },
  defaultPromptName: null,
  includePrompt: true,
};

/**
 * The prompt that `choice` stands for; "" for none.
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
    throw new RangeError("Cannot choose a prompt both by its name and by its text: give one");
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
 * Position of the first token that pooling reads: 0, or the one after [CLS] and the prompt where the
 * model excludes its prompt. sentence-transformers tokenizes the prompt alone to count its tokens.
 */
export function findPoolingStart(
  { includePrompt }: Pick<PromptSettings, "includePrompt">,
  prompt: string,
  { tokenizer, maxLength }: { readonly tokenizer: Tokenizer; readonly maxLength: number },
): number {
  if (includePrompt || prompt === "") return 0;
  return 1 + Math.min(tokenizer.encodeText(prompt).length, maxLength - 2);
}
