/**
 * Finds the folder of a model given by name: a run, a folder, or a repository on the Hub.
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openHubRepo } from "@/data/hub_files.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import { isFile, isFolder } from "@/system/files.ts";
import { downloadModel } from "@/model/download_model.ts";
import type { ProgressView } from "@/progress.ts";

/**
 * Absolute path of the run whose 8-bit graph is part of the repository. It is the default model if no run has been
 * trained yet.
 */
export const SHIPPED_RUN = fileURLToPath(new URL("../../outputs/minilm-bfloat16", import.meta.url));

/** Name of a Hub repository: `owner/name`, or a bare name as early repositories have. */
const HUB_NAME = /^\w[\w.-]*(\/\w[\w.-]*)?$/;

/**
 * Returns the folder of a model: `model/` of a run, or the folder itself, or the folder in the Hub's shared cache to
 * which the repository of this name is downloaded. Local folders take precedence over the Hub.
 */
export async function findModelFolder(
  source: string,
  options: { readonly settings?: HubSettings; readonly view?: ProgressView } = {},
): Promise<string> {
  const ofRun = join(source, "model");
  if (await isModelFolder(ofRun)) return ofRun;
  if (await isFile(join(source, "environment.json"))) {
    const reason = await isFile(join(source, "summary.json"))
      ? "It was saved without its weights"
      : `It has not finished: continue it with deno task train --resume ${source}`;
    throw new Deno.errors.NotFound(
      `Cannot open model: run ${source} does not contain model/config.json. ${reason}`,
    );
  }
  if (await isModelFolder(source)) return source;
  if (await isHubName(source)) return await fetchModel(source, options);
  throw new Deno.errors.NotFound(
    `Cannot open model: ${source} ` +
      (await isFolder(source)
        ? "is not the folder of a run and does not contain config.json"
        : "does not exist and is not the name of a repository on the Hub"),
  );
}

/** True if `source` is a repository on the Hub: it has the form of a name, and no local folder takes precedence. */
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
    throw new Error(`There is no folder ${name}, and it cannot be loaded from the Hub: ${reason}`, {
      cause: error,
    });
  }
}

async function isModelFolder(folder: string): Promise<boolean> {
  return await isFile(join(folder, "config.json")) || await isFile(join(folder, "modules.json"));
}
