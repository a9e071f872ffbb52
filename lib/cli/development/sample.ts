/** `deno task sample`: rebuilds the built-in sample; the files are bitwise reproducible. @module */

import { SAMPLE_FOLDER } from "@/data/local.ts";
import { writeSample } from "@/data/sample/write_sample.ts";
import { runTask, type Task } from "../run_task.ts";

/** The task `sample`. */
const SAMPLE = {
  name: "sample",
  summary:
    "Rebuilds the built-in sample (data/sample/) from its seed; the files are always identical.",
  usage: "",
  options: {},
  async run() {
    await writeSample(SAMPLE_FOLDER);
    console.log(`Wrote ${SAMPLE_FOLDER}`);
  },
} as const satisfies Task<Record<string, never>>;

if (import.meta.main) await runTask(SAMPLE);
