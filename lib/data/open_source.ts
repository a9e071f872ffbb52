/**
 * From the configuration's `data.dir` to a source.
 * @module
 */

import { openHubSource } from "@/data/hub.ts";
import { openLocalSource } from "@/data/local.ts";
import { openSampleSource } from "@/data/sample_source.ts";
import type { DataSource } from "@/data/source.ts";
import type { ProgressView } from "@/progress.ts";

/** The `data.dir` that stands for the built-in sample. */
export const SAMPLE_DIR = "sample";

/**
 * The source that `data.dir` names: `null` the Hugging Face Hub, `"sample"` the built-in sample, anything
 * else a folder (write `./sample` for a folder of that name).
 */
export function openDataSource(
  dir: string | null,
  options: { readonly view?: ProgressView } = {},
): DataSource {
  if (dir === null) return openHubSource(options);
  return dir === SAMPLE_DIR ? openSampleSource() : openLocalSource(dir);
}
