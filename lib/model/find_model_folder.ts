/**
 * Where a model is that is called by name: a run, a folder, or a repository of the Hub.
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openHubRepo } from "@/data/hub_files.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import { isFile, isFolder } from "@/files.ts";
import { downloadModel } from "@/model/download_model.ts";
import type { ProgressView } from "@/progress.ts";

/**
 * Folder of the run whose eight-bit graph ships with the repository, wherever it is run from. It answers
 * where nobody has trained a run yet.
 */
export const SHIPPED_RUN = fileURLToPath(new URL("../../outputs/minilm-bfloat16", import.meta.url));

/** The Hub's `owner/name`, or a bare name of its early days. */
const HUB_NAME = /^\w[\w.-]*(\/\w[\w.-]*)?$/;

/**
 * The folder of a model: `model/` of a run, a folder itself, or what the Hub's repository of that name
 * holds, fetched into the Hub's shared cache. What is on this machine goes first.
 */
export async function findModelFolder(
  source: string,
  options: { readonly settings?: HubSettings; readonly view?: ProgressView } = {},
): Promise<string> {
  const ofRun = join(source, "model");
  if (await isModelFolder(ofRun)) return ofRun;
  if (await isFile(join(source, "environment.json"))) {
    throw new Deno.errors.NotFound(
      `Cannot open model as run ${source} must hold model/config.json: it has not ended, or was ` +
        "kept without its weights",
    );
  }
  if (await isModelFolder(source)) return source;
  if (await isHubName(source)) return await fetchModel(source, options);
  throw new Deno.errors.NotFound(
    `Cannot open model as ${source} must be a run's folder or hold config.json: ` +
      (await isFolder(source) ? "it does not" : "there is no such folder"),
  );
}

/** True if `source` names a repository of the Hub: it looks like one, and no folder here goes before it. */
export async function isHubName(source: string): Promise<boolean> {
  const parent = dirname(source);
  return HUB_NAME.test(source) && !await isFolder(source) &&
    (parent === "." || !await isFolder(parent));
}

async function fetchModel(
  name: string,
  options: { readonly settings?: HubSettings; readonly view?: ProgressView },
): Promise<string> {
  const repo = openHubRepo({ repo: name, kind: "model", ...options });
  try {
    return await downloadModel(name, repo.fetch);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`There is no folder ${name}, and as a name on the Hub: ${reason}`, {
      cause: error,
    });
  }
}

async function isModelFolder(folder: string): Promise<boolean> {
  return await isFile(join(folder, "config.json")) || await isFile(join(folder, "modules.json"));
}
