/**
 * `deno task train`: trains, evaluates and reports a run.
 * @module
 */
import { join } from "node:path";
import type { RunConfig } from "@/config/config.ts";
import { PRECISIONS } from "@/engine/options.ts";
import { openEngineFor } from "@/cli/open_engine.ts";
import { writeCard } from "@/export/write_card.ts";
import { isFile, readJson } from "@/system/files.ts";
import { formatThreads } from "@/system/machine.ts";
import { writeReport } from "@/report/write_report.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { formatCount, formatDuration } from "@/report/format.ts";
import { forecastRun, type RunForecast } from "@/train/dry_run.ts";
import { TrainingInterrupted } from "@/train/resume.ts";
import { chooseRunFolder } from "@/train/run_folder.ts";
import { trainLearningCurve } from "@/train/learning_curve.ts";
import { trainRun } from "@/train/train_run.ts";
import type { Options, OptionValues } from "./arguments.ts";
import { CONFIG_OPTIONS, readConfigOptions } from "./config_options.ts";
import { formatScores } from "./format_scores.ts";
import { formatCommand, runTask, type Task, TaskInterrupted } from "./run_task.ts";
import { createTerminalProgress, showCompiling } from "./terminal_progress.ts";

const OPTIONS = {
  ...CONFIG_OPTIONS,
  precision: {
    type: "string",
    value: "P",
    help: `precision of matrix products: ${PRECISIONS.join(", ")}`,
  },
  out: { type: "string", value: "DIR", byDefault: "outputs/PRESET", help: "folder of the run" },
  resume: {
    type: "string",
    value: "DIR",
    help: "resume the run in DIR; --set training.epochs=N extends it",
  },
  "learning-curve": {
    type: "boolean",
    help:
      "also train on 25 and 50 % of the rows, to see if more rows would help; takes three times as long",
  },
  "dry-run": { type: "boolean", help: "only predict time and memory of the run" },
} as const satisfies Options;

type Values = OptionValues<typeof OPTIONS>;

/** Options for new runs only, which cannot be combined with `--resume`. */
const ONLY_NEW = ["preset", "config", "precision", "out"] as const;

/** Resolves the configuration that the options describe. */
async function readConfig({ resume, ...values }: Values): Promise<RunConfig> {
  if (resume === undefined) return readConfigOptions(values);
  const extra = ONLY_NEW.find((name) => values[name] !== undefined);
  if (extra !== undefined) {
    throw new RangeError(
      `Cannot resume the run with --${extra}: ${resume} already has a configuration. Keys that may change ` +
        "can be set with --set, --data and --model",
    );
  }
  const { set, data, model } = values;
  const file = await readJson(join(resume, "config.json"), "run to resume");
  return resolveConfig({ file, set, shortcuts: { data, model } });
}

/** Lines that show a forecast. */
function describeForecast(
  { steps, seconds, totalSeconds, peakMiB }: RunForecast,
): readonly string[] {
  const parts = Object.entries(seconds).map(([name, each]) => `${name} ${formatDuration(each)}`);
  return [
    `predicted time: ${formatDuration(totalSeconds)} for ${formatCount(steps)} steps (${
      parts.join(", ")
    })`,
    `predicted peak memory: ${formatCount(Math.round(peakMiB))} MiB`,
    "nothing was written",
  ];
}

/** The task `train`. */
export const TRAIN = {
  name: "train",
  summary: "Trains and evaluates a run, and writes its folder and report.",
  usage:
    "[--preset NAME] [--config FILE] [--set KEY=VALUE …] [--model DIR|HUB_NAME] [--data DIR] " +
    "[--precision P] [--out DIR] [--resume DIR] [--learning-curve] [--dry-run]",
  options: OPTIONS,
  stopsItself: true,
  async run({ values, signal, command }) {
    const config = await readConfig(values);
    const executor = await openEngineFor(config);
    if (values["dry-run"]) {
      const forecast = await forecastRun(config, { view: showCompiling(createTerminalProgress()) });
      for (const line of describeForecast(forecast)) console.log(line);
      return;
    }
    const out = values.resume ?? values.out ?? await chooseRunFolder(config.preset);
    console.log(
      `${out}: preset ${config.preset}, ${config.precision} on ${config.device} by ` +
        `${executor.name} (${executor.version}, ${formatThreads(executor.threads)})`,
    );
    const train = values["learning-curve"] ? trainLearningCurve : trainRun;
    const { scores } = await train(config, {
      out,
      resume: values.resume !== undefined,
      view: showCompiling(createTerminalProgress()),
      onNote: (note) => console.log(note),
      signal,
    }).catch((error) => {
      if (!(error instanceof TrainingInterrupted)) throw error;
      throw error.resumable
        ? new TaskInterrupted(
          `${error.message}. To resume:`,
          formatCommand("train", ["--resume", /^-/.test(out) ? `./${out}` : out]),
        )
        : new TaskInterrupted(`${error.message}. To restart:`, command);
    });
    await writeReport(out);
    if (await isFile(join(out, "model", "heads.json"))) await writeCard(out);
    for (const line of formatScores(scores)) console.log(line);
    console.log(`report: ${join(out, "report.html")}`);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(TRAIN);
