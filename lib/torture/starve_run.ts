/**
 * Runs that find no room on their disk, or may not write to it: each must end with one line that says so,
 * lose nothing that it had, and go on to the same end once it can.
 *
 * The disk is a file system in memory of a given size, which only the superuser of Linux can make.
 * @module
 */
import { join } from "node:path";
import { isFile, isSystemError } from "@/files.ts";
import { checkInterrupt } from "@/interrupt.ts";
import {
  checkFinished,
  inspectRemains,
  isSameRun,
  type Life,
  liveOnce,
} from "@/torture/kill_run.ts";

/** What a starved run came to. */
export type StarvedRun = {
  /** What it was refused. */
  readonly what: string;
  /** The last line that it said. */
  readonly said: string;
  /** Checkpoints that were there once it had ended. */
  readonly checkpoints: readonly number[];
  /** Whether the error was clear, and the run went on to the same end afterwards. */
  readonly good: boolean;
};

/** Which runs are starved. */
export type StarveOptions = {
  /** A file. */
  readonly config: string;
  /** Folder of a run that lacked nothing. */
  readonly whole: string;
  /** A folder to work in. */
  readonly root: string;
  readonly nowMs: () => number;
  /** Once aborted, no further run is started, and disks are taken away again. */
  readonly signal: AbortSignal;
};

/** KiB of the disks, of which a run of this kind takes about 900. */
const DISK_KIB = [0, 24, 64, 128, 256, 400, 600, 800];

async function command(...args: readonly string[]): Promise<boolean> {
  const [program = "", ...rest] = args;
  try {
    return (await new Deno.Command(program, { args: [...rest], stderr: "null" }).output()).success;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false; // there is no such program
  }
}

const lastLine = ({ errors }: Pick<Life, "errors">) => errors.trim().split("\n").at(-1) ?? "";

/** Whether a run ended with the error that its files could not be written. */
function saysWrite(life: Life): boolean {
  return life.exitCode === 1 && !life.errors.includes("\n    at ") &&
    /^error: Cannot write \S+: .*\(os error \d+\)$/
      .test(lastLine(life));
}

/** Runs on disks that are too small, then larger; null where disks cannot be made here. */
export async function fillDisks(options: StarveOptions): Promise<readonly StarvedRun[] | null> {
  const { config, whole, root, nowMs, signal } = options;
  const runs: StarvedRun[] = [];
  for (const kib of DISK_KIB) {
    checkInterrupt(signal, () => "Filling disks was interrupted");
    const disk = join(root, `disk-${kib}`), dir = join(disk, "run");
    await Deno.mkdir(disk);
    // A file system has at least a page; with one inode more than its root there is room for no file.
    const size = kib === 0 ? "size=4k,nr_inodes=2" : `size=${kib}k`;
    if (!await command("mount", "-t", "tmpfs", "-o", size, "tmpfs", disk)) return null;
    try {
      const life = await liveOnce(dir, { config, killMs: null, nowMs });
      const { checkpoints } = await inspectRemains(dir);
      await command("mount", "-o", "remount,size=64m,nr_inodes=10000", disk);
      checkFinished(await liveOnce(dir, { config, killMs: null, nowMs }));
      const good = saysWrite(life) && await isSameRun(dir, whole);
      runs.push({ what: `a disk of ${kib} KiB`, said: lastLine(life), checkpoints, good });
    } finally {
      await command("umount", disk);
    }
  }
  return runs;
}

/** A finished run taken up again on a disk that has become read-only, and a new one where none may be. */
export async function lockDisks(options: StarveOptions): Promise<readonly StarvedRun[] | null> {
  const { config, whole, root, nowMs } = options;
  const disk = join(root, "locked"), dir = join(disk, "run");
  await Deno.mkdir(disk);
  if (!await command("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk)) return null;
  try {
    await command("mount", "-o", "remount,ro", disk);
    const fresh = await liveOnce(dir, { config, killMs: null, nowMs });
    const nothing = !await isFile(join(dir, "config.json"));
    await command("mount", "-o", "remount,rw", disk);
    checkFinished(await liveOnce(dir, { config, killMs: null, nowMs }));
    const { checkpoints } = await inspectRemains(dir);
    await command("mount", "-o", "remount,ro", disk);
    const again = await liveOnce(dir, { config, killMs: null, nowMs });
    const same = await isSameRun(dir, whole);
    await command("mount", "-o", "remount,rw", disk);
    checkFinished(await liveOnce(dir, { config, killMs: null, nowMs }));
    return [
      {
        what: "a new run on a read-only disk",
        said: lastLine(fresh),
        checkpoints: [],
        good: saysWrite(fresh) && nothing,
      },
      {
        what: "a run taken up again on one",
        said: lastLine(again),
        checkpoints,
        good: saysWrite(again) && same && await isSameRun(dir, whole),
      },
    ];
  } finally {
    await command("umount", disk);
  }
}
