/**
 * Reads the Hub's cache without the Hub: in offline mode (`HF_HUB_OFFLINE`), and with an unreachable server.
 * @module
 */
import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import { linkBlob, repoFolder, snapshotFolder, writeRef } from "@/data/hub_cache.ts";
import { HUB_DATASETS, openHubSource } from "@/data/hub.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import { readRows } from "@/data/read_rows.ts";
import { findRequiredFiles } from "@/data/source.ts";
import { readBytes } from "@/system/files.ts";
import { PRESETS } from "@/config/presets.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** A cache with one data set, whose files may be damaged. */
export type HubSubject = {
  /** Paths relative to the folder of the cache. */
  readonly files: readonly string[];
  /** Reads the data set. Returns a description if its rows are wrong, else null. */
  read(): Promise<string | null>;
};

/** Creates a cache in `cacheDir` with the test split of AG News; `table` is the path of its file. */
export async function makeHubCache(cacheDir: string, table: string): Promise<HubSubject> {
  const [task] = PRESETS.quickstart.tasks, place = HUB_DATASETS.ag_news;
  if (task === undefined || place === undefined) throw new TypeError("internal: no ag_news");
  const cached = { cacheDir, repo: place.repo, kind: "dataset" } as const;
  const bytes = await readBytes(table, "table");
  const blob = join(
    repoFolder(cached),
    "blobs",
    createHash("sha256").update(bytes).digest("hex"),
  );
  await Deno.mkdir(join(repoFolder(cached), "blobs"), { recursive: true });
  await Deno.writeFile(blob, bytes);
  await linkBlob(blob, join(snapshotFolder(cached, COMMIT), "data", "test-00000-of-00001.parquet"));
  await writeRef(cached, place.revision, COMMIT);
  const settings: HubSettings = {
    endpoint: "http://127.0.0.1:9", // no server listens there
    token: null,
    cacheDir,
    offline: true,
    retryDelaysMs: [],
    silenceTimeoutMs: 1000,
  };
  const readAll = async (offline: boolean) => {
    const source = openHubSource({ settings: { ...settings, offline } });
    const files = await findRequiredFiles(source, { dataset: task.dataset, split: "test" });
    return JSON.stringify(await readRows(files, task));
  };
  const good = await readAll(true);
  return {
    files: [blob, join(repoFolder(cached), "refs", place.revision)].map((path) =>
      relative(cacheDir, path)
    ),
    async read() {
      for (const offline of [true, false]) {
        if (await readAll(offline) !== good) return "its rows differ from those downloaded";
      }
      return null;
    },
  };
}
