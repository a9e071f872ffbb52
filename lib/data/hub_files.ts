/**
 * Files of the Hugging Face Hub, of data sets and models alike, through the Hub's shared cache.
 *
 * @example
 * ```ts
 * import { openHubRepo } from "@/data/hub_files.ts";
 * const repo = openHubRepo({ repo: "google-bert/bert-base-uncased", kind: "model" });
 * // const path = await repo.fetch("config.json"); // null where there is none of that name
 * ```
 * @module
 */

import { join } from "node:path";
import { datasetInfo, listFiles, modelInfo, pathsInfo } from "@huggingface/hub";
import { isFile } from "@/files.ts";
import {
  type CachedRepo,
  isCommit,
  isWhole,
  linkBlob,
  listSnapshot,
  readRef,
  repoFolder,
  type RepoKind,
  snapshotFolder,
  writeRef,
} from "@/data/hub_cache.ts";
import { downloadBlob } from "@/data/hub_download.ts";
import { fetchFrom, HubUnreachableError, withRetries } from "@/data/hub_fetch.ts";
import { type HubSettings, readHubSettings } from "@/data/hub_settings.ts";
import { type ProgressView, SILENT } from "@/progress.ts";

/** Which repository, as of when. */
export type HubRepoOptions = {
  /** `owner/name`, or a bare name of the Hub's early days. */
  readonly repo: string;
  readonly kind: RepoKind;
  /** A branch, tag or commit; `main` by default. */
  readonly revision?: string;
  /** From the environment by default. */
  readonly settings?: HubSettings;
  /** Shows the progress of large files. */
  readonly view?: ProgressView;
};

/** A repository at one commit, found at the first call. */
export type HubRepo = {
  /** Paths of all files, sorted; without the network those that the cache holds. */
  list(): Promise<readonly string[]>;
  /**
   * Local path of a file, fetched if the cache lacks it; null where the repository has none of that
   * name (without the network: where the cache has none). The path ends in the file's own path, and all
   * files of the repository lie in one folder.
   */
  fetch(path: string): Promise<string | null>;
  /** The commit; it is looked up once. */
  commit(): Promise<string>;
};

/** Opens a repository. Nothing is read until its first call. */
export function openHubRepo(options: HubRepoOptions): HubRepo {
  const { repo, kind, revision = "main", settings = readHubSettings(), view = SILENT } = options;
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(repo) || repo.split("/").some((part) => /^\.+$/.test(part))) {
    throw new RangeError(
      `Cannot use the Hub as a repository's name must look like owner/name: current value is "${repo}"`,
    );
  }
  const cached: CachedRepo = { cacheDir: settings.cacheDir, repo, kind };
  const subject = `${kind} ${repo}${revision === "main" ? "" : ` at ${revision}`}`;
  const request = {
    hubUrl: settings.endpoint,
    fetch: fetchFrom(settings, subject),
    ...(settings.token === null ? {} : { accessToken: settings.token }),
  };
  const target = { name: repo, type: kind };

  const lookUpCommit = async (): Promise<{ commit: string; online: boolean }> => {
    const known = await readRef(cached, revision);
    if (settings.offline) {
      if (known !== null) return { commit: known, online: false };
      throw new Deno.errors.NotFound(
        `Cannot fetch ${subject} as HF_HUB_OFFLINE is set and the cache must hold it: nothing in ${
          repoFolder(cached)
        }`,
      );
    }
    if (isCommit(revision)) return { commit: revision, online: true };
    const info = { name: repo, revision, additionalFields: ["sha" as const], ...request };
    try {
      const { sha } = await withRetries(
        settings,
        subject,
        () => kind === "dataset" ? datasetInfo(info) : modelInfo(info),
      );
      if (typeof sha !== "string" || !isCommit(sha)) {
        throw new Error(`Cannot fetch ${subject} as the Hub must name its commit: it names ${sha}`);
      }
      await writeRef(cached, revision, sha);
      return { commit: sha, online: true };
    } catch (error) {
      if (known === null || !(error instanceof HubUnreachableError)) throw error;
      return { commit: known, online: false }; // what was good last time
    }
  };
  const resolve = memoize(lookUpCommit);
  const checked = new Set<string>();

  const list = memoize(async () => {
    const { commit, online } = await resolve();
    if (!online) return await listSnapshot(cached, commit);
    return await withRetries(settings, `the list of files of ${subject}`, async () => {
      const paths: string[] = [];
      const entries = listFiles({ repo: target, recursive: true, revision: commit, ...request });
      for await (const { type, path } of entries) if (type === "file") paths.push(path);
      return paths.sort();
    });
  });

  return {
    list,
    commit: async () => (await resolve()).commit,
    async fetch(path) {
      if (/^[/\\]|^\w:|\\/.test(path) || path.split("/").includes("..")) {
        throw new RangeError(
          `Cannot fetch from ${subject} as a path must stay inside it: current value is "${path}"`,
        );
      }
      const { commit, online } = await resolve();
      const pointer = join(snapshotFolder(cached, commit), path);
      const what = `${path} of ${subject}`;
      if (await isFile(pointer)) {
        if (checked.has(pointer) || await isWhole(pointer)) {
          checked.add(pointer);
          return pointer;
        }
        if (!online) {
          throw new Error(
            `Cannot use ${what} as its copy in the cache must have the hash that it was fetched with: ` +
              `it has another; fetch it again where the Hub can be reached, or remove ${pointer}`,
          );
        }
        await Deno.remove(await Deno.realPath(pointer)); // damaged: it is fetched again
      }
      if (!online) return null;
      const [info] = await withRetries(
        settings,
        what,
        () => pathsInfo({ repo: target, paths: [path], revision: commit, ...request }),
      );
      if (info === undefined || info.type !== "file") return null;
      const hash = info.lfs?.oid ?? info.oid;
      if (hash === undefined || !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(hash)) {
        throw new Error(`Cannot fetch ${what} as the Hub must name its hash: it names ${hash}`);
      }
      const blob = join(repoFolder(cached), "blobs", hash);
      const prefix = kind === "dataset" ? "datasets/" : "";
      const encoded = path.split("/").map(encodeURIComponent).join("/");
      const url = `${settings.endpoint}/${prefix}${repo}/resolve/${commit}/${encoded}`;
      if (!await isFile(blob)) {
        const size = info.lfs?.size ?? info.size;
        await downloadBlob({ url, blob, hash, size, what, settings, view });
      }
      await linkBlob(blob, pointer);
      return pointer;
    },
  };
}

/** Calls `make` once; after a failure again. */
function memoize<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((error) => {
      made = null;
      throw error;
    });
    return made;
  };
}
