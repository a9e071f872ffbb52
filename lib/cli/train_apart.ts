/**
 * Trains a run by `deno task train` in a process of its own, in a scratch folder that keeps what is heavy
 * until the run is finished; a run that was cut off there goes on from its checkpoint.
 * @module
 */
import { join } from "node:path";
import type { RunConfig } from "@/config.ts";
import { COMMAND_VARIABLE, describeCommand } from "@/environment.ts";
import type { TrainOne } from "@/experiment/run_experiment.ts";
import { writeFileAtomic } from "@/files.ts";
import { trainCommand } from "@/train_command.ts";

/** Where and how runs are trained. */
export type ApartOptions = {
  /** Holds a folder a run while it is made. */
  readonly scratch: string;
  /** Shown the last line of the run's progress. */
  readonly onProgress: (line: string) => void;
  /** Once aborted, the run saves a checkpoint and ends. */
  readonly signal: AbortSignal;
};

/** A {@link TrainOne} in processes; runs that another process trains now are left to it. */
export function trainApart({ scratch, onProgress, signal }: ApartOptions): TrainOne {
  return async (config, name) => {
    const folder = join(scratch, name);
    await Deno.mkdir(folder, { recursive: true });
    using lock = await Deno.open(join(folder, "lock"), { write: true, create: true });
    if (!await lock.tryLock(true)) return { state: "elsewhere" }; // the system frees a dead one's
    const run = join(folder, "run");
    const { code, errors } = await trainOnce(config, { folder, run, onProgress, signal });
    if (code === 0) return { state: "done", dir: run };
    return { state: "failed", reason: errors.at(-1) ?? `it ended with exit code ${code}` };
  };
}

/** Removes the scratch folder of a run that has been taken. */
export async function removeScratch(scratch: string, name: string): Promise<void> {
  await Deno.remove(join(scratch, name), { recursive: true });
}

async function trainOnce(
  config: RunConfig,
  { folder, run, onProgress, signal }: Omit<ApartOptions, "scratch"> & {
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
  const stop = () => child.kill("SIGINT"); // it may have heard the terminal's already
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

/** Copies a stream into a log and shows each of its lines. */
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
