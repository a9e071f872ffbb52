/**
 * Downloads one file into the cache: a cut download goes on where it stopped, and only bytes that match
 * the repository's hash get their name.
 * @module
 */

import { dirname } from "node:path";
import { matchesHash } from "@/data/hub_cache.ts";
import { fetchFrom, reportCut, withRetries } from "@/data/hub_fetch.ts";
import type { HubSettings } from "@/data/hub_settings.ts";

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
};

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
  { url, size, what, settings }: Download,
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
      for await (const chunk of response.body ?? []) {
        for (let written = 0; written < chunk.length;) {
          written += await file.write(chunk.subarray(written));
        }
        done += chunk.length;
      }
    }
    await file.truncate(done);
    if (done !== size) reportCut(done, size);
    await file.sync();
  } finally {
    file.close();
  }
}
