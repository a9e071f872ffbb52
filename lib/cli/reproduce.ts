/**
 * `deno task reproduce RUN`: trains a run again from its `config.json` in another folder and compares the results.
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { scratchFolder } from "@/system/cache_folder.ts";
import { openEngineFor } from "@/cli/open_engine.ts";
import type { RunConfig } from "@/config/config.ts";
import {
  describeReproduction,
  readFinishedRun,
  TOLERANCE,
} from "@/experiment/describe_reproduction.ts";
import { planReproduction } from "@/experiment/plan_reproduction.ts";
import { isFile, readJson } from "@/system/files.ts";
import { formatThreads } from "@/system/machine.ts";
import { TrainingInterrupted } from "@/train/resume.ts";
import { trainRun } from "@/train/train_run.ts";
import { runTask, type Task, TaskInterrupted } from "./run_task.ts";
import { createTerminalProgress, showCompiling } from "./terminal_progress.ts";

const OPTIONS = {
  data: {
    type: "string",
    value: "DIR",
    byDefault: "as the run was configured",
    help: "folder of the data sets (data.dir)",
  },
  model: {
    type: "string",
    value: "DIR|HUB_NAME",
    byDefault: "as the run was configured",
    help: "pretrained encoder (model.source)",
  },
  out: { type: "string", value: "DIR", help: "keep the new run in this folder" },
} as const;

/** Default folder of the new run; always the same for a configuration, so that an interrupted run can be continued. */
function chooseScratch(run: string, config: RunConfig): string {
  const digest = createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 8);
  const scratch = scratchFolder("reproduce");
  return join(scratch, `${basename(resolve(run))}-${digest}`);
}

/** True if `out` contains the unfinished run of this configuration; throws if it contains another run. */
async function hasUnfinishedRun(out: string, config: RunConfig): Promise<boolean> {
  const path = join(out, "config.json");
  if (!await isFile(path)) return false;
  const isSameRun = isDeepStrictEqual(await readJson(path, "run"), config);
  if (isSameRun && !await isFile(join(out, "summary.json"))) return true;
  throw new Deno.errors.AlreadyExists(
    `Cannot reproduce the run in ${out}: the folder contains ${
      isSameRun ? "a finished" : "another"
    } run; choose another --out`,
  );
}

/** The task `reproduce`. */
export const REPRODUCE = {
  name: "reproduce",
  summary:
    "Trains a run again from its config.json and compares the results. They must be identical if device,\n" +
    `executor, processor and threads are the same; otherwise: ${TOLERANCE}.`,
  usage: "RUN [--data DIR] [--model DIR|HUB_NAME] [--out DIR]",
  options: OPTIONS,
  positionals: { names: ["RUN"], min: 1, max: 1 },
  stopsItself: true,
  async run({ values, positionals: [run = ""], signal, command }) {
    const { config, notes } = await planReproduction(run, values);
    const out = values.out ?? chooseScratch(run, config);
    if (values.out === undefined && await isFile(join(out, "summary.json"))) {
      await Deno.remove(out, { recursive: true }); // left by a process that was killed during the comparison
    }
    const resume = await hasUnfinishedRun(out, config);
    const engine = await openEngineFor(config);
    console.log(
      `${run}: preset ${config.preset}, seed ${config.seed}, ${config.precision} on ${config.device} by ` +
        `${engine.name} (${engine.version}, ${formatThreads(engine.threads)})`,
    );
    for (const note of notes) console.log(`note: ${note}`);
    await trainRun(config, {
      out,
      resume,
      view: showCompiling(createTerminalProgress()),
      onNote: (note) => console.log(`note: ${note}`),
      signal,
    }).catch((error) => {
      if (!(error instanceof TrainingInterrupted)) throw error;
      throw new TaskInterrupted(`${error.message}. To continue:`, command);
    });
    const { lines, reproduced } = describeReproduction(
      await readFinishedRun(run),
      await readFinishedRun(out),
    );
    for (const line of lines) console.log(line);
    if (values.out === undefined) await Deno.remove(out, { recursive: true });
    else console.log(`kept: ${out}`);
    return reproduced;
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(REPRODUCE);
