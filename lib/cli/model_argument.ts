/**
 * The argument MODEL, which comes first in every task that asks a model.
 * @module
 */

import { relative } from "node:path";
import { findDefaultModel } from "@/app/find_run.ts";
import { isFolder } from "@/files.ts";

/** What MODEL may be, for `--help`. */
export const MODEL_NOTE =
  "MODEL is a run's folder, a model's folder or a name on the Hugging Face Hub.";

/** The same of tasks that can do without. */
export const DEFAULT_MODEL_NOTE =
  `${MODEL_NOTE} Without any argument it is the newest finished run in outputs/, else the model that ` +
  "ships with the repository.";

/**
 * The model that the first argument of a task on texts names, else the default one. A text in its place is
 * refused.
 */
export async function chooseModel(task: string, given: string | undefined): Promise<string> {
  if (given === undefined) return await takeDefaultModel(task);
  if (/\s/.test(given.trim()) && !await isFolder(given)) {
    const text = JSON.stringify(given);
    throw new Deno.errors.NotFound(
      `Cannot run ${task} as the first argument must be a model: ${text} is no folder; write ` +
        `deno task ${task} MODEL ${text}, or give the text on standard input, which takes the default model`,
    );
  }
  return given;
}

/** The default model of `task`, which is said on stderr. */
export async function takeDefaultModel(task: string): Promise<string> {
  const found = await findDefaultModel();
  if (found === null) {
    throw new Deno.errors.NotFound(
      `Cannot run ${task} as outputs/ must hold a finished run where MODEL is not given: train one ` +
        `with deno task train, or write deno task ${task} MODEL`,
    );
  }
  const here = relative(Deno.cwd(), found.source);
  console.error(`model: ${here.startsWith("..") ? found.source : here}, ${found.reason}`);
  return found.source;
}
