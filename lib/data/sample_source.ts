/**
 * The built-in sample as a data source: `data/sample/` of this repository, independent of the working folder.
 * @module
 */

import { fileURLToPath } from "node:url";
import { openLocalSource } from "@/data/local.ts";
import type { DataSource } from "@/data/source.ts";

/** Folder of the built-in sample. */
export const SAMPLE_FOLDER = fileURLToPath(new URL("../../data/sample", import.meta.url));

/** Opens the built-in sample as a data source. */
export function openSampleSource(): DataSource {
  return {
    ...openLocalSource(SAMPLE_FOLDER, "sample"),
    describe: () => "the built-in sample (data/sample): generated sentences, no real news",
  };
}
