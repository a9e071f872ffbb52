/**
 * `deno task inspect`: shows a compiled function at every stage.
 * @module
 */
import { formatInspection, listStages } from "@/engine/inspect/format_text.ts";
import { FUNCTIONS, inspectBuiltIn, readFunctionName } from "@/inspect/functions.ts";
import { describeUnknown } from "@/suggest.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./frame.ts";
import {
  openEngineFor,
  PRECISION_OPTION,
  readEngineChoice,
  readPrecision,
  SET_ENGINE,
} from "./open_engine.ts";

const OPTIONS = {
  stage: { type: "string", value: "NAME", byDefault: "all", help: "shows one stage only" },
  json: { type: "boolean", help: "prints all stages as JSON" },
  set: SET_ENGINE,
  precision: PRECISION_OPTION,
} as const satisfies Options;

/** The task `inspect`. */
const INSPECT = {
  name: "inspect",
  summary:
    "Shows a compiled function at every stage: graphs, groups, C, instructions, memory, time.",
  usage: "NAME [--stage NAME] [--json] [--set KEY=VALUE …] [--precision NAME]",
  notes: [
    `Functions:\n${
      Object.entries(FUNCTIONS).map(([name, { what }]) => `  ${name.padEnd(20)} ${what}`).join("\n")
    }`,
  ],
  options: OPTIONS,
  positionals: { names: ["NAME"], min: 1, max: 1 },
  async run({ values: { stage = null, json, set, precision }, positionals: [given = ""] }) {
    const name = readFunctionName(given);
    const choice = readEngineChoice("inspect", set);
    if (choice.device !== "cpu") {
      throw new RangeError(
        `Cannot inspect on device ${choice.device}: only device cpu compiles functions`,
      );
    }
    await openEngineFor({ ...choice, precision: readPrecision(precision) });
    const inspections = await inspectBuiltIn(name);
    const known = listStages(inspections);
    if (stage !== null && !known.includes(stage)) {
      throw new RangeError(`Cannot inspect: ${describeUnknown(stage, { what: "stage", known })}`);
    }
    if (json) console.log(JSON.stringify(inspections, null, 2));
    else for (const each of inspections) console.log(`${formatInspection(each, stage)}\n`);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(INSPECT);
