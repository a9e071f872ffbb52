/**
 * The argument MODEL, the first one of every task that uses a model, and the options that choose a prompt, like those of
 * `encode` in sentence-transformers.
 * @module
 */

import { relative } from "node:path";
import { findDefaultModel } from "@/app/find_run.ts";
import { isFolder } from "@/system/files.ts";
import { type PromptChoice, type PromptSettings, resolvePrompt } from "@/text/prompts.ts";
import type { Options } from "./arguments.ts";

/** Describes the argument MODEL for `--help`. */
export const MODEL_NOTE =
  "MODEL is the folder of a run, the folder of a model, or a name on the Hugging Face Hub.";

/** Describes MODEL for tasks that have a default model. */
export const DEFAULT_MODEL_NOTE =
  `${MODEL_NOTE} Default: the newest finished run in outputs/, else the model that ships with the ` +
  "repository.";

/**
 * Returns the model given as the first argument of a task, or the default model. Throws if the first argument is a text
 * instead of a model.
 */
export async function chooseModel(task: string, given: string | undefined): Promise<string> {
  if (given === undefined) return await takeDefaultModel(task);
  if (/\s|^-/.test(given.trim()) && !await isFolder(given)) {
    const text = JSON.stringify(given);
    throw new Deno.errors.NotFound(
      `Cannot run ${task}: the first argument must be a model, but ${text} is not a folder. Write deno task ` +
        `${task} MODEL ${
          given.startsWith("-") ? "-- " : ""
        }${text}, or pass the text on standard input to use the default model`,
    );
  }
  return given;
}

/** Finds the default model and announces it on stderr. */
export async function takeDefaultModel(task: string): Promise<string> {
  const found = await findDefaultModel();
  if (found === null) {
    throw new Deno.errors.NotFound(
      `Cannot run ${task}: there is no finished run in outputs/. Train one with deno task train, or name ` +
        `a model: deno task ${task} MODEL`,
    );
  }
  const here = relative(Deno.cwd(), found.source);
  console.error(`model: ${here.startsWith("..") ? found.source : here}, ${found.reason}`);
  return found.source;
}

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
