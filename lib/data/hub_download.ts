/**
 * Downloads one file into the cache. A cut download goes on where it stopped, only bytes that match the
 * repository's hash become a blob, and of several processes one downloads while the others wait.
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
import { explainWriteError, isFile, isSystemError, writeAll } from "@/files.ts";
import type { Progress } from "@/progress.ts";

/** What is downloaded, and where to. */
export type Download = HubRequest & {
  readonly url: string;
  /** Path that the finished file gets. */
  readonly blob: string;
  /** SHA-256 or git's SHA-1 of the file. */
  readonly hash: string;
  /** Bytes of the file. */
  readonly size: number;
};

const MIB = 2 ** 20;

/** Interval at which a waiting process tries the lock again. */
const LOOK_MS = 200;

/** Age, since the last write, at which partial files are removed. */
const STALE_MS = 7 * 24 * 3600 * 1000;

/** Downloads a file beside its place, checks size and hash, and renames it. */
export async function downloadBlob(download: Download): Promise<void> {
  const { blob } = download;
  try {
    await Deno.mkdir(dirname(blob), { recursive: true });
  } catch (error) {
    throw explainWriteError(blob, error);
  }
  const lock = await waitForLock(download);
  try {
    if (await isWholeBlob(download)) return; // by another process
    // with the lock held, a partial file is left over from an interrupted process and can be continued
    const partial = lock === null
      ? `${blob}.${crypto.randomUUID().slice(0, 8)}.incomplete`
      : `${blob}.incomplete`;
    try {
      await fillPartial(download, partial);
      await Deno.rename(partial, blob);
    } catch (error) {
      if (lock === null) await Deno.remove(partial).catch(() => {});
      if (await isWholeBlob(download)) return; // by another process, where locks have no effect
      throw explainWriteError(blob, error);
    }
  } finally {
    lock?.close();
  }
  await removeStalePartials(blob);
}

/** True if the blob is there and is what it should be; a damaged one is removed. */
async function isWholeBlob({ blob, hash }: Download): Promise<boolean> {
  if (!await isFile(blob)) return false;
  if (await matchesHash(blob, hash)) return true;
  await Deno.remove(blob).catch((error) => {
    throw explainWriteError(blob, error);
  });
  return false;
}

/**
 * The lock that `huggingface_hub` too holds while it downloads a blob, `.locks/<repository>/<hash>.lock`;
 * closing the file gives it back, as does the end of the process. Null where files cannot be locked.
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
    return null; // a cache of another user, or a full disk, which the download will name
  }
  const label = `${what}: another process fetches it`;
  try {
    let waits = false;
    while (!await file.tryLock(true)) {
      if (!waits) view.update({ label, done: 0, total: 1 });
      waits = true;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (waits) view.update({ label, done: 1, total: 1 });
    return file;
  } catch (error) {
    file.close();
    if (!isSystemError(error)) throw error;
    return null; // a network file system without locks
  }
}

/** Completes `partial`; if its earlier bytes turn out to be damaged, starts again once. */
async function fillPartial(download: Download, partial: string): Promise<void> {
  const { hash, size, what } = download;
  for (let resumed = await isFile(partial);; resumed = false) {
    await withRetries(download, () => continueDownload(download, partial));
    if (await matchesHash(partial, hash)) return;
    await Deno.remove(partial);
    if (!resumed) {
      throw new Error(
        `Cannot fetch ${what}: the ${size} bytes that arrived do not have the hash ${hash} that the ` +
          "Hub names. Try again; if it stays, check proxies on the way",
      );
    }
  }
}

/** Adds to `partial` what it lacks. */
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
          "Accept-Encoding": "identity", // sizes are of the file itself
        },
      });
      const range = response.headers.get("Content-Range");
      if (response.status !== 206) done = 0;
      else if (range !== null && !range.startsWith(`bytes ${done}-`)) {
        await response.body?.cancel();
        await file.truncate(0);
        reportCut(0, size); // another part than was asked for
      }
      await file.seek(done, Deno.SeekMode.Start);
      for await (const chunk of readChunks(response.body, settings.silenceTimeoutMs)) {
        await writeAll(file, chunk);
        done += chunk.length;
        if (size >= MIB) view.update(describeDownload(what, { done, size }));
        if (done > size) break; // not the file: its hash will be wrong
      }
    }
    await file.truncate(done);
    if (done < size) reportCut(done, size);
    await file.sync();
  } finally {
    file.close();
  }
}

/** Removes partial files beside `blob` whose last write is long ago. */
async function removeStalePartials(blob: string): Promise<void> {
  const folder = dirname(blob);
  const now = (await Deno.stat(blob)).mtime?.getTime() ?? 0; // by the clock of the file system
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".incomplete")) continue;
    const path = join(folder, name);
    const written = (await Deno.stat(path).catch(() => null))?.mtime?.getTime() ?? now;
    if (now - written > STALE_MS) await Deno.remove(path).catch(() => {});
  }
}

/** In whole MiB; the last one is often a part, so the end is told apart. */
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
