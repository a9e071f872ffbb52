/**
 * Downloads one file into the cache: a cut download goes on where it stopped, and only bytes that match
 * the repository's hash get their name.
 * @module
 */

import { dirname } from "node:path";
import { matchesHash } from "@/data/hub_cache.ts";
import { fetchFrom, readChunks, reportCut, withRetries } from "@/data/hub_fetch.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import type { Progress, ProgressView } from "@/progress.ts";

/** What is downloaded, and where to. */
export type Download = {
  readonly url: string;
  /** Path that the finished file gets. */
  readonly blob: string;
  /** SHA-256 or git's SHA-1 of the file. */
  readonly hash: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Names the file in errors. */
  readonly what: string;
  readonly settings: HubSettings;
  /** Is shown the MiB of large files. */
  readonly view: ProgressView;
};

const MIB = 2 ** 20;

/** Downloads a file beside its place, checks size and hash, and renames it. */
export async function downloadBlob(download: Download): Promise<void> {
  const { blob, hash, size, what, settings } = download;
  await Deno.mkdir(dirname(blob), { recursive: true });
  const partial = `${blob}.incomplete`;
  await withRetries(settings, what, () => continueDownload(download, partial));
  if (!await matchesHash(partial, hash)) {
    await Deno.remove(partial);
    throw new Error(
      `Cannot fetch ${what} as its ${size} bytes must have the hash ${hash}: they have another, try again`,
    );
  }
  await Deno.rename(partial, blob);
}

/** Adds to `partial` what it lacks. */
async function continueDownload(
  { url, size, what, settings, view }: Download,
  partial: string,
): Promise<void> {
  const file = await Deno.open(partial, { write: true, create: true });
  try {
    let done = (await file.stat()).size;
    if (done > size) done = 0;
    if (done < size || size === 0) {
      const response = await fetchFrom(settings, what)(url, {
        headers: {
          ...(settings.token === null ? {} : { Authorization: `Bearer ${settings.token}` }),
          ...(done === 0 ? {} : { Range: `bytes=${done}-` }),
          "Accept-Encoding": "identity", // sizes are of the file itself
        },
      });
      if (response.status !== 206) done = 0;
      await file.seek(done, Deno.SeekMode.Start);
      for await (const chunk of readChunks(response.body, settings.silenceTimeoutMs)) {
        for (let written = 0; written < chunk.length;) {
          written += await file.write(chunk.subarray(written));
        }
        done += chunk.length;
        if (size >= MIB) view.update(describeDownload(what, { done, size }));
      }
    }
    await file.truncate(done);
    if (done !== size) reportCut(done, size);
    await file.sync();
  } finally {
    file.close();
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
    done: done === size ? total : Math.floor(done / MIB),
    total,
  };
}
