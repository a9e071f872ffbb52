/**
 * Files of data sets and models on the Hugging Face Hub, through the Hub's shared cache.
 *
 * @example
 * ```ts
 * import { openHubRepo } from "@/data/hub_files.ts";
 * const repo = openHubRepo({ repo: "google-bert/bert-base-uncased", kind: "model" });
 * // const path = await repo.fetch("config.json"); // null if there is no such file
 * ```
 * @module
 */

import { join } from "node:path";
import { isFile } from "@/system/files.ts";
import { askCommit, askFile, askPaths } from "@/data/hub_api.ts";
import {
  type CachedRepo,
  isCommit,
  isIntact,
  linkBlob,
  listCommits,
  listSnapshot,
  readRef,
  repoFolder,
  type RepoKind,
  snapshotFolder,
  writeRef,
} from "@/data/hub_cache.ts";
import { downloadBlob } from "@/data/hub_download.ts";
import { type HubRequest, HubUnreachableError } from "@/data/hub_fetch.ts";
import { type HubSettings, readHubSettings } from "@/data/hub_settings.ts";
import { type ProgressView, SILENT } from "@/progress.ts";

/** A repository and its revision. */
type HubRepoOptions = {
  /** `owner/name`, or a bare name (old repositories of the Hub). */
  readonly repo: string;
  readonly kind: RepoKind;
  /** A branch, tag or commit; `main` by default. */
  readonly revision?: string;
  /** Default: read from the environment. */
  readonly settings?: HubSettings;
  /** Shows the progress of large downloads. */
  readonly view?: ProgressView;
};

/** A repository at one commit, which the first call looks up. */
export type HubRepo = {
  /** Sorted paths of all files; without network, of the cached files. */
  list(): Promise<readonly string[]>;
  /**
   * Local path of a file, downloaded if it is not cached. Null if the repository has no such file; without network, if
   * the cache has none. The local path ends in the file's path, and all files of a repository are in one folder.
   */
  fetch(path: string): Promise<string | null>;
  /** The commit, looked up once. */
  commit(): Promise<string>;
};

/** Opens a repository. Nothing is requested before its first call. */
export function openHubRepo(options: HubRepoOptions): HubRepo {
  const { repo, kind, revision = "main", settings = readHubSettings(), view = SILENT } = options;
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(repo) || repo.split("/").some((part) => /^\.+$/.test(part))) {
    throw new RangeError(
      `Cannot use the Hub: "${repo}" is not the name of a repository; write owner/name`,
    );
  }
  const cached: CachedRepo = { cacheDir: settings.cacheDir, repo, kind };
  const subject = `${kind} ${repo}${revision === "main" ? "" : ` at ${revision}`}`;
  const request: HubRequest = { settings, what: subject, view };
  const at = (commit: string) => ({ repo, kind, revision: commit });

  const lookUpCommit = async (): Promise<{ commit: string; online: boolean }> => {
    const known = await readRef(cached, revision);
    if (settings.offline) {
      if (known !== null) return { commit: known, online: false };
      const commits = await listCommits(cached);
      throw new Deno.errors.NotFound(
        `Cannot fetch ${subject}: HF_HUB_OFFLINE is set, and the cache ` +
          (commits.length === 0
            ? `has no files of it in ${repoFolder(cached)}`
            : `has no commit for ${revision}: ${
              join(repoFolder(cached), "refs", revision)
            } must contain one of ${commits.join(", ")}`),
      );
    }
    if (isCommit(revision)) return { commit: revision, online: true };
    const fallBack = (reason: string) => { // to the commit of the last successful lookup
      const label = `${reason}. Using the cached version of ${subject}`;
      view.update({ label, done: 1, total: 1 });
    };
    try {
      const commit = await askCommit(request, { repo, kind, revision });
      if (await writeRef(cached, revision, commit) || known === null) {
        return { commit, online: true };
      }
      fallBack(`The cache in ${settings.cacheDir} cannot be written to`);
    } catch (error) {
      if (known === null || !(error instanceof HubUnreachableError)) throw error;
      fallBack(error.message);
    }
    return { commit: known, online: false };
  };
  const resolve = memoize(lookUpCommit);
  const checked = new Set<string>();

  const list = memoize(async () => {
    const { commit, online } = await resolve();
    if (!online) return await listSnapshot(cached, commit);
    return await askPaths({ ...request, what: `the list of files of ${subject}` }, at(commit));
  });

  return {
    list,
    commit: async () => (await resolve()).commit,
    async fetch(path) {
      if (/^[/\\]|^\w:|\\/.test(path) || path.split("/").includes("..")) {
        throw new RangeError(
          `Cannot fetch "${path}" from ${subject}: the path leads outside the repository`,
        );
      }
      const { commit, online } = await resolve();
      const pointer = join(snapshotFolder(cached, commit), path);
      const what = `${path} of ${subject}`;
      if (await isFile(pointer)) {
        if (checked.has(pointer) || await isIntact(pointer)) {
          checked.add(pointer);
          return pointer;
        }
        if (!online) {
          throw new Error(
            `Cannot use ${what}: its copy in the cache is damaged (its hash differs). Download it ` +
              `again while the Hub is reachable, or remove ${pointer}`,
          );
        }
      }
      if (!online) return null;
      const file = await askFile({ ...request, what }, at(commit), path);
      if (file === null) return null;
      const blob = join(repoFolder(cached), "blobs", file.hash);
      const prefix = kind === "dataset" ? "datasets/" : "";
      const encoded = path.split("/").map(encodeURIComponent).join("/");
      const url = `${settings.endpoint}/${prefix}${repo}/resolve/${commit}/${encoded}`;
      await downloadBlob({ ...request, ...file, url, blob, what });
      await linkBlob(blob, pointer);
      return pointer;
    },
  };
}

/** Caches the result of `make`; a failed call is repeated. */
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
