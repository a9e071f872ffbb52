/**
 * Opens the data source that `data.dir` of the configuration names.
 * @module
 */

import { withDataFiles } from "@/data/file_source.ts";
import { openHubSource } from "@/data/hub.ts";
import { openLocalSource, openSampleSource } from "@/data/local.ts";
import { formatOfName } from "@/data/tables/table.ts";
import type { DataSource } from "@/data/source.ts";
import type { ProgressView } from "@/progress.ts";

/** The value of `data.dir` for the built-in sample. */
export const SAMPLE_DIR = "sample";

/**
 * Opens the data source of a `data.dir`, to which paths of files are added: null for the Hugging Face Hub, `"sample"` for the built-in sample, else a folder
 * (use `./sample` for a folder of that name).
 */
export function openDataSource(
  dir: string | null,
  options: { readonly view?: ProgressView } = {},
): DataSource {
  if (dir !== null && formatOfName(dir) !== null) {
    throw new RangeError(
      `Cannot read data: data.dir must be a folder, but is the file ${dir}. A task names its files itself; ` +
        `run deno task init ${dir} to get a configuration for it`,
    );
  }
  if (dir === null) return withDataFiles(openHubSource(options), ".");
  if (dir === SAMPLE_DIR) return withDataFiles(openSampleSource(), ".");
  return withDataFiles(openLocalSource(dir), dir);
}
