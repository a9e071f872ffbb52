/**
 * Trains a run with `deno task train` in a separate process. It uses a scratch folder that holds the checkpoints until
 * the run is finished; an interrupted run continues from its checkpoint there.
 * @module
 */
import { join } from "node:path";
import type { RunConfig } from "@/config/config.ts";
import { COMMAND_VARIABLE, describeCommand } from "@/system/environment.ts";
import type { TrainOne } from "@/experiment/run_experiment.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { trainCommand } from "@/system/train_command.ts";

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
export function trainInProcess({ scratch, onProgress, signal }: TrainInProcessOptions): TrainOne {
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
export async function removeScratch(scratch: string, name: string): Promise<void> {
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
