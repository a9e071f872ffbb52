/**
 * `deno task inspect`: shows a compiled function at every stage.
 * @module
 */
import { formatInspection, listStages } from "@/engine/inspect/format_text.ts";
import { FUNCTIONS, inspectBuiltIn, readFunctionName } from "@/inspect/functions.ts";
import { renderInspection } from "@/inspect/page.ts";
import { describeUnknown } from "@/suggest.ts";
import { writeFileAtomic } from "@/system/files.ts";
import type { Options } from "../arguments.ts";
import { runTask, type Task } from "../run_task.ts";
import {
  openEngineFor,
  PRECISION_OPTION,
  readEngineChoice,
  readPrecision,
  SET_ENGINE,
} from "../open_engine.ts";

/** Threads if native.threads is not set: with one, the time of a group contains no wait for another thread. */
const THREADS = 1;

const OPTIONS = {
  stage: { type: "string", value: "NAME", byDefault: "all", help: "shows one stage only" },
  html: { type: "string", value: "FILE", help: "writes a page with links between the stages" },
  json: { type: "boolean", help: "prints all stages as JSON" },
  set: SET_ENGINE,
  precision: PRECISION_OPTION,
} as const satisfies Options;

/** The task `inspect`. */
const INSPECT = {
  name: "inspect",
  summary:
    "Shows a compiled function at every stage: graphs, groups, C, instructions, memory, time.",
  usage: "NAME [--stage NAME] [--html FILE] [--json] [--set KEY=VALUE …] [--precision NAME]",
  notes: [
    `Functions:\n${
      Object.entries(FUNCTIONS).map(([name, { what }]) => `  ${name.padEnd(20)} ${what}`).join("\n")
    }`,
    "One thread computes unless --set native.threads=N. Times are those of the fastest of five rounds of calls.",
    "STX_INSPECT=DIR in the environment of any task writes such a page for each program that it compiles.",
  ],
  options: OPTIONS,
  positionals: { names: ["NAME"], min: 1, max: 1 },
  async run({ values: { stage = null, html, json, set, precision }, positionals: [given = ""] }) {
    const name = readFunctionName(given);
    const choice = readEngineChoice("inspect", set);
    if (choice.device !== "cpu") {
      throw new RangeError(
        `Cannot inspect on device ${choice.device}: only device cpu compiles functions`,
      );
    }
    const native = { ...choice.native, threads: choice.native.threads ?? THREADS };
    await openEngineFor({ ...choice, native, precision: readPrecision(precision) });
    const inspections = await inspectBuiltIn(name);
    const known = listStages(inspections);
    if (stage !== null && !known.includes(stage)) {
      throw new RangeError(`Cannot inspect: ${describeUnknown(stage, { what: "stage", known })}`);
    }
    if (html !== undefined) await writeFileAtomic(html, renderInspection(name, inspections));
    if (json) console.log(JSON.stringify(inspections, null, 2));
    else if (html === undefined) {
      for (const each of inspections) console.log(`${formatInspection(each, stage)}\n`);
    }
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(INSPECT);
