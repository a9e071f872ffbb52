/**
 * Runs on full or read-only disks. Each must end with a one-line error, lose nothing that was saved, and reach
 * the same result once it is resumed with enough space and permission.
 *
 * The disk is an in-memory file system of a given size, which only root on Linux can create.
 * @module
 */
import { join } from "node:path";
import { isFile } from "@/system/files.ts";
import { isSystemError } from "@/engine/system.ts";
import { checkInterrupt } from "@/system/interrupt.ts";
import { checkFinished, inspectRun, isSameRun, trainOnce, type TrainProcess } from "./kill_run.ts";

/** Result of a run on a full or read-only disk. */
export type DiskFault = {
  /** Description of the disk. */
  readonly what: string;
  /** Last line of stderr. */
  readonly error: string;
  /** Steps of the checkpoints present after the failure. */
  readonly checkpoints: readonly number[];
  /** True if the error was clear and the resumed run reached the same result. */
  readonly good: boolean;
};

/** Options of {@link fillDisks} and {@link lockDisks}. */
export type DiskFaultOptions = {
  /** Path of a configuration file. */
  readonly config: string;
  /** Folder of a run without faults. */
  readonly reference: string;
  /** Working folder. */
  readonly root: string;
  readonly nowMs: () => number;
  /** Once aborted, no further run starts, and disks are unmounted. */
  readonly signal: AbortSignal;
};

/** Disk sizes in KiB; a complete run takes about 900. */
const DISK_KIB = [0, 24, 64, 128, 256, 400, 600, 800];

async function command(...args: readonly string[]): Promise<boolean> {
  const [program = "", ...rest] = args;
  try {
    return (await new Deno.Command(program, { args: [...rest], stderr: "null" }).output()).success;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false; // the program does not exist
  }
}

const lastLine = ({ errors }: Pick<TrainProcess, "errors">) =>
  errors.trim().split("\n").at(-1) ?? "";

/** True if a process ended with the error that a file could not be written. */
function isWriteError(process: TrainProcess): boolean {
  return process.exitCode === 1 && !process.errors.includes("\n    at ") &&
    /^error: Cannot write \S+: .*\(os error \d+\)$/
      .test(lastLine(process));
}

/** Runs on disks that are too small and are then enlarged. Returns null if disks cannot be created here. */
export async function fillDisks(options: DiskFaultOptions): Promise<readonly DiskFault[] | null> {
  const { config, reference, root, nowMs, signal } = options;
  const runs: DiskFault[] = [];
  for (const kib of DISK_KIB) {
    checkInterrupt(signal, () => "Filling disks was interrupted");
    const disk = join(root, `disk-${kib}`), dir = join(disk, "run");
    await Deno.mkdir(disk);
    // A file system has at least one page. With one inode besides the root, it has no space for files.
    const size = kib === 0 ? "size=4k,nr_inodes=2" : `size=${kib}k`;
    if (!await command("mount", "-t", "tmpfs", "-o", size, "tmpfs", disk)) return null;
    try {
      const process = await trainOnce(dir, { config, killMs: null, nowMs });
      const { checkpoints } = await inspectRun(dir);
      await command("mount", "-o", "remount,size=64m,nr_inodes=10000", disk);
      checkFinished(await trainOnce(dir, { config, killMs: null, nowMs }));
      const good = isWriteError(process) && await isSameRun(dir, reference);
      runs.push({ what: `a disk of ${kib} KiB`, error: lastLine(process), checkpoints, good });
    } finally {
      await command("umount", disk);
    }
  }
  return runs;
}

/** Starts a new run and resumes a finished run on a read-only disk. Returns null if disks cannot be created. */
export async function lockDisks(options: DiskFaultOptions): Promise<readonly DiskFault[] | null> {
  const { config, reference, root, nowMs } = options;
  const disk = join(root, "locked"), dir = join(disk, "run");
  await Deno.mkdir(disk);
  if (!await command("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk)) return null;
  try {
    await command("mount", "-o", "remount,ro", disk);
    const fresh = await trainOnce(dir, { config, killMs: null, nowMs });
    const nothing = !await isFile(join(dir, "config.json"));
    await command("mount", "-o", "remount,rw", disk);
    checkFinished(await trainOnce(dir, { config, killMs: null, nowMs }));
    const { checkpoints } = await inspectRun(dir);
    await command("mount", "-o", "remount,ro", disk);
    const again = await trainOnce(dir, { config, killMs: null, nowMs });
    const same = await isSameRun(dir, reference);
    await command("mount", "-o", "remount,rw", disk);
    checkFinished(await trainOnce(dir, { config, killMs: null, nowMs }));
    return [
      {
        what: "a new run on a read-only disk",
        error: lastLine(fresh),
        checkpoints: [],
        good: isWriteError(fresh) && nothing,
      },
      {
        what: "a run resumed on a read-only disk",
        error: lastLine(again),
        checkpoints,
        good: isWriteError(again) && same && await isSameRun(dir, reference),
      },
    ];
  } finally {
    await command("umount", disk);
  }
}
