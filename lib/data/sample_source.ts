/**
 * The built-in sample as a source: `data/sample/` of this repository, wherever it is run from.
 * @module
 */

import { fileURLToPath } from "node:url";
import { openLocalSource } from "@/data/local.ts";
import type { DataSource } from "@/data/source.ts";

/** The folder of the built-in sample. */
export const SAMPLE_FOLDER = fileURLToPath(new URL("../../data/sample", import.meta.url));

/** The source that reads the built-in sample. */
export function openSampleSource(): DataSource {
  return {
    ...openLocalSource(SAMPLE_FOLDER, "sample"),
    describe: () => "the built-in sample (data/sample): generated sentences, no real news",
  };
}
