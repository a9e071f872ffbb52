/**
 * Downloads one file into the cache. An interrupted download is resumed. A file becomes a blob only if it matches the
 * repository's hash. If several processes need the same file, one downloads it and the others wait.
 * @module
 */

import { basename, dirname, join } from "node:path";
import { matchesHash } from "@/data/hub_cache.ts";
import {
  fetchFromHub,
  type HubRequest,
  readChunks,
  reportCut,
  withRetries,
} from "@/data/hub_fetch.ts";
import { explainWriteError, isFile, writeAll } from "@/system/files.ts";
import { isSystemError } from "@/engine/system.ts";
import type { Progress } from "@/progress.ts";

/** The file to download and its destination. */
type Download = HubRequest & {
  readonly url: string;
  /** Path of the finished file. */
  readonly blob: string;
  /** SHA-256 or git's SHA-1 of the file. */
  readonly hash: string;
  /** Size in bytes. */
  readonly size: number;
};

const MIB = 2 ** 20;

/** Interval at which a waiting process tries to lock again. */
const RETRY_MS = 200;

/** Time since the last write after which partial files are removed. */
const STALE_MS = 7 * 24 * 3600 * 1000;

/** Downloads to a temporary file next to the blob, checks size and hash, and renames it. */
export async function downloadBlob(download: Download): Promise<void> {
  const { blob } = download;
  try {
    await Deno.mkdir(dirname(blob), { recursive: true });
  } catch (error) {
    throw explainWriteError(blob, error);
  }
  const lock = await waitForLock(download);
  try {
    if (await isIntactBlob(download)) return; // another process has downloaded it
    // with the lock held, a partial file comes from an interrupted process and can be resumed
    const partial = lock === null
      ? `${blob}.${crypto.randomUUID().slice(0, 8)}.incomplete`
      : `${blob}.incomplete`;
    try {
      await fillPartial(download, partial);
      await Deno.rename(partial, blob);
    } catch (error) {
      if (lock === null) await Deno.remove(partial).catch(() => {});
      if (await isIntactBlob(download)) return; // another process has downloaded it, on a file system without locks
      throw explainWriteError(blob, error);
    }
  } finally {
    lock?.close();
  }
  await removeStalePartials(blob);
}

/** True if the blob exists and matches its hash; a damaged blob is removed. */
async function isIntactBlob({ blob, hash }: Download): Promise<boolean> {
  if (!await isFile(blob)) return false;
  if (await matchesHash(blob, hash)) return true;
  await Deno.remove(blob).catch((error) => {
    throw explainWriteError(blob, error);
  });
  return false;
}

/**
 * Acquires the lock `.locks/<repository>/<hash>.lock`, which `huggingface_hub` also holds during a download. It is
 * released when the file is closed or the process ends. Null if files cannot be locked.
 */
async function waitForLock({ blob, hash, what, view }: Download): Promise<Deno.FsFile | null> {
  const repository = dirname(dirname(blob));
  const folder = join(dirname(repository), ".locks", basename(repository));
  let file: Deno.FsFile;
  try {
    await Deno.mkdir(folder, { recursive: true });
    file = await Deno.open(join(folder, `${hash}.lock`), {
      write: true,
      create: true,
      mode: 0o664,
    });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return null; // another user's cache or a full disk, which the download itself will report
  }
  const label = `${what}: waiting for another process that downloads it`;
  try {
    let waits = false;
    while (!await file.tryLock(true)) {
      if (!waits) view.update({ label, done: 0, total: 1 });
      waits = true;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    if (waits) view.update({ label, done: 1, total: 1 });
    return file;
  } catch (error) {
    file.close();
    if (!isSystemError(error)) throw error;
    return null; // a network file system without locks
  }
}

/** Completes `partial`. If its existing bytes are damaged, downloads it once more from the start. */
async function fillPartial(download: Download, partial: string): Promise<void> {
  const { hash, size, what } = download;
  for (let resumed = await isFile(partial);; resumed = false) {
    await withRetries(download, () => continueDownload(download, partial));
    if (await matchesHash(partial, hash)) return;
    await Deno.remove(partial);
    if (!resumed) {
      throw new Error(
        `Cannot fetch ${what}: the ${size} bytes received do not match the Hub's hash ` +
          `${hash}. Try again; if the error persists, check your proxy`,
      );
    }
  }
}

/** Appends the missing bytes to `partial`. */
async function continueDownload(download: Download, partial: string): Promise<void> {
  const { url, size, what, settings, view } = download;
  const file = await Deno.open(partial, { write: true, create: true });
  try {
    let done = (await file.stat()).size;
    if (done > size) done = 0;
    if (done < size || size === 0) {
      const response = await fetchFromHub(download, url, {
        headers: {
          ...(done === 0 ? {} : { Range: `bytes=${done}-` }),
          "Accept-Encoding": "identity", // so that sizes are those of the file
        },
      });
      const range = response.headers.get("Content-Range");
      if (response.status !== 206) done = 0;
      else if (range !== null && !range.startsWith(`bytes ${done}-`)) {
        await response.body?.cancel();
        await file.truncate(0);
        reportCut(0, size); // not the requested range
      }
      await file.seek(done, Deno.SeekMode.Start);
      for await (const chunk of readChunks(response.body, settings.silenceTimeoutMs)) {
        await writeAll(file, chunk);
        done += chunk.length;
        if (size >= MIB) view.update(describeDownload(what, { done, size }));
        if (done > size) break; // not the requested file; the hash check will fail
      }
    }
    await file.truncate(done);
    if (done < size) reportCut(done, size);
    await file.sync();
  } finally {
    file.close();
  }
}

/** Removes old partial files of `blob`. */
async function removeStalePartials(blob: string): Promise<void> {
  const folder = dirname(blob);
  const now = (await Deno.stat(blob)).mtime?.getTime() ?? 0; // the time according to the file system
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".incomplete")) continue;
    const path = join(folder, name);
    const written = (await Deno.stat(path).catch(() => null))?.mtime?.getTime() ?? now;
    if (now - written > STALE_MS) await Deno.remove(path).catch(() => {});
  }
}

/** Progress in MiB. The last MiB is usually incomplete, so the end is handled separately. */
function describeDownload(
  what: string,
  { done, size }: { readonly done: number; readonly size: number },
): Progress {
  const total = Math.ceil(size / MIB);
  return {
    label: `fetch ${what}, MiB`,
    done: done >= size ? total : Math.floor(done / MIB),
    total,
  };
}
