/**
 * `deno task experiment`: trains the runs of declared experiments, each with `deno task train` in a separate process. Such a
 * process uses a scratch folder that holds the checkpoints until the run is finished; an interrupted run continues from its
 * checkpoint there.
 * @module
 */

import { dirname, join } from "node:path";
import { scratchFolder } from "@/system/cache_folder.ts";
import { planRuns, readExperiment } from "@/experiment/declaration.ts";
import { nameRun, openRunPool } from "@/experiment/run_pool.ts";
import { writeExperimentReport } from "@/experiment/experiment_report.ts";
import { runExperiment, type RunOutcome, type TrainOne } from "@/experiment/run_experiment.ts";
import { readJson, writeFileAtomic } from "@/system/files.ts";
import { formatSeconds } from "@/progress.ts";
import { formatPercent } from "@/report/format.ts";
import { readRun } from "@/report/readers/read_run.ts";
import { mainMeasure, mainScores } from "@/report/readers/run_record.ts";
import { CONFIG_OPTIONS } from "./config_options.ts";
import { runTask, type Task, TaskInterrupted } from "./run_task.ts";
import { createTerminalProgress } from "./terminal_progress.ts";
import type { RunConfig } from "@/config/config.ts";
import { COMMAND_VARIABLE, describeCommand } from "@/system/environment.ts";
import { trainCommand } from "@/system/train_command.ts";

const OPTIONS = {
  model: CONFIG_OPTIONS.model,
  data: CONFIG_OPTIONS.data,
  set: {
    type: "string",
    value: "KEY=VALUE",
    multiple: true,
    help: "sets one configuration key of every run",
  },
  pool: {
    type: "string",
    value: "DIR",
    default: "outputs/experiments/runs",
    help: "folder of finished runs",
  },
  "dry-run": { type: "boolean", help: "list finished and missing runs without training" },
} as const;

/** Formats the main scores of a run in one line. */
async function formatMainScores(dir: string): Promise<string> {
  const { summary } = await readRun(dir);
  return Object.entries(summary.scores).flatMap(([task, splits]) => {
    const main = mainScores(splits);
    return main === null ? [] : [`${task} ${formatPercent(mainMeasure(main.scores).value)}`];
  }).join("  ");
}

/** The task `experiment`. */
const EXPERIMENT = {
  name: "experiment",
  summary: "Trains the missing runs of declared experiments, seed by seed, and writes the reports.",
  usage: "FILE … [--data DIR] [--model DIR|HUB_NAME] [--set KEY=VALUE …] [--pool DIR] [--dry-run]",
  options: OPTIONS,
  positionals: { names: ["FILE"], min: 1, max: Infinity },
  stopsItself: true,
  async run({ values, positionals, signal, command }) {
    const experiments = [];
    for (const file of positionals) {
      experiments.push(readExperiment(await readJson(file, "experiment")));
    }
    const runs = experiments.flatMap((experiment) =>
      planRuns(experiment, values).map((run) => ({
        ...run,
        variant: `${experiment.name} ${run.variant}`,
      }))
    ).sort((a, b) => a.seed - b.seed); // stable sort by seed, so that an early stop leaves complete seeds
    const pool = openRunPool(values.pool);
    if (values["dry-run"]) {
      for (const { variant, seed, config } of runs) {
        const state = await pool.holds(config) ? "present" : "missing";
        console.log(`${state}  ${nameRun(config)}  ${variant}, seed ${seed}`);
      }
      return true;
    }
    const scratch = scratchFolder("experiments");
    const view = createTerminalProgress();
    const startMs = performance.now();
    let done = 0, trained = 0, label = "";
    const secondsLeft = () =>
      trained === 0
        ? undefined
        : (performance.now() - startMs) / 1000 / trained * (runs.length - done);
    const outcomes = await runExperiment(runs, {
      pool,
      signal,
      train: trainInProcess({
        scratch,
        signal,
        onProgress: (line) =>
          view.update({
            done,
            total: runs.length,
            label,
            details: [line],
            secondsLeft: secondsLeft(),
          }),
      }),
      onBegin({ variant, seed }) {
        label = `${variant}, seed ${seed}`;
      },
      async onOutcome({ variant, seed, config, state, reason }) {
        done++;
        if (state === "present") return;
        if (state === "done") {
          trained++;
          await removeScratch(scratch, nameRun(config));
        }
        await view.finish();
        const left = secondsLeft();
        const scores = state === "done"
          ? await formatMainScores(await pool.folderOf(config))
          : reason;
        console.log(
          `${done}/${runs.length}  ${variant}, seed ${seed}: ${state}  ${scores ?? ""}` +
            (left === undefined ? "" : `  ${formatSeconds(left)} left`),
        );
      },
    });
    await view.finish(); // ends the progress line of an interrupted run
    const count = (state: RunOutcome["state"]) => outcomes.filter((o) => o.state === state).length;
    console.log(
      `${runs.length} runs: ${count("present")} present, ${count("done")} trained, ` +
        `${count("failed")} failed, ${count("elsewhere")} in training by another process`,
    );
    for (const file of positionals) {
      const reported = await writeExperimentReport(dirname(file), pool) > 0;
      if (reported) console.log(`report: ${join(dirname(file), "report.html")}`);
    }
    if (signal.aborted && outcomes.length < runs.length) {
      throw new TaskInterrupted(
        `The experiment was interrupted with ${runs.length - outcomes.length} of ${runs.length} ` +
          "runs left. To continue:",
        command,
      );
    }
    return outcomes.length === runs.length && count("failed") + count("elsewhere") === 0;
  },
} as const satisfies Task<typeof OPTIONS>;

/** Options of {@link trainInProcess}. */
type TrainInProcessOptions = {
  /** Folder with one subfolder per unfinished run. */
  readonly scratch: string;
  /** Called with each line of the run's progress. */
  readonly onProgress: (line: string) => void;
  /** If aborted, the run saves a checkpoint and ends. */
  readonly signal: AbortSignal;
};

/** Creates a {@link TrainOne} that trains in separate processes and skips runs that another process is training. */
function trainInProcess({ scratch, onProgress, signal }: TrainInProcessOptions): TrainOne {
  return async (config, name) => {
    const folder = join(scratch, name);
    await Deno.mkdir(folder, { recursive: true });
    using lock = await Deno.open(join(folder, "lock"), { write: true, create: true });
    if (!await lock.tryLock(true)) return { state: "elsewhere" }; // the system releases the lock of a dead process
    const run = join(folder, "run");
    const { code, errors } = await trainOnce(config, { folder, run, onProgress, signal });
    if (code === 0) return { state: "done", dir: run };
    return { state: "failed", reason: errors.at(-1) ?? `the process ended with exit code ${code}` };
  };
}

/** Removes the scratch folder of a run that was moved to the pool. */
async function removeScratch(scratch: string, name: string): Promise<void> {
  await Deno.remove(join(scratch, name), { recursive: true });
}

async function trainOnce(
  config: RunConfig,
  { folder, run, onProgress, signal }: Omit<TrainInProcessOptions, "scratch"> & {
    readonly folder: string;
    readonly run: string;
  },
): Promise<{ readonly code: number; readonly errors: readonly string[] }> {
  const file = join(folder, "config.json");
  await writeFileAtomic(file, JSON.stringify(config, null, 2) + "\n");
  const [program, ...args] = await trainCommand(run, file);
  using log = await Deno.open(join(folder, "train.log"), {
    write: true,
    create: true,
    append: true,
  });
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", [COMMAND_VARIABLE]: describeCommand() ?? "" },
  }).spawn();
  const stop = () => child.kill("SIGINT"); // the child may already have received the terminal's Ctrl+C
  signal.addEventListener("abort", stop, { once: true });
  const errors: string[] = [];
  await Promise.all([
    copyLines(child.stdout, log, () => {}),
    copyLines(child.stderr, log, (line) => {
      if (/^error: /.test(line)) errors.push(line.replace(/^error: /, ""));
      else onProgress(line);
    }),
  ]);
  const { code } = await child.status;
  signal.removeEventListener("abort", stop);
  return { code, errors };
}

/** Appends a stream to a log and calls `onLine` with each line. */
async function copyLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  log: Deno.FsFile,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    log.writeSync(new TextEncoder().encode(part));
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") onLine(line);
  }
}

if (import.meta.main) await runTask(EXPERIMENT);
