/**
 * The cache that all tools of the Hub share: `blobs/` by content hash, `snapshots/<commit>/` with links to blobs in the
 * repository's layout, and `refs/` with the commit of each branch.
 *
 * Layout: https://huggingface.co/docs/huggingface_hub/v1.0.0/guides/manage-cache
 * @module
 */

import { createHash } from "node:crypto";
import { basename, dirname, join, relative } from "node:path";
import { getRepoFolderName, REGEX_COMMIT_HASH } from "@huggingface/hub";
import { explainWriteError, isFile, isFolder, writeFileAtomic } from "@/system/files.ts";
import { isSystemError } from "@/engine/system.ts";

/** A repository in the cache. */
export type CachedRepo = {
  readonly cacheDir: string;
  readonly repo: string;
  readonly kind: RepoKind;
};

/** Supported types of repository. */
const REPO_KINDS = ["dataset", "model"] as const;
/** One of {@link REPO_KINDS}. */
export type RepoKind = typeof REPO_KINDS[number];

/** The repository's folder in the cache, such as `datasets--fancyzhx--ag_news`. */
export function repoFolder({ cacheDir, repo, kind }: CachedRepo): string {
  return join(cacheDir, getRepoFolderName({ name: repo, type: kind }));
}

/** The folder with the files of a commit. */
export function snapshotFolder(cached: CachedRepo, commit: string): string {
  return join(repoFolder(cached), "snapshots", commit);
}

/** True if `revision` is the full hash of a commit, which needs no lookup. */
export function isCommit(revision: string): boolean {
  return REGEX_COMMIT_HASH.test(revision);
}

/** The cached commit of a revision; null if there is none. */
export async function readRef(cached: CachedRepo, revision: string): Promise<string | null> {
  if (isCommit(revision)) return revision;
  const path = join(repoFolder(cached), "refs", revision);
  if (!await isFile(path)) return null;
  const commit = (await Deno.readTextFile(path)).trim();
  return isCommit(commit) ? commit : null; // anything else is a damaged file
}

/**
 * Records the commit of a revision, for later calls without network. Returns false if the cache is not writable, which
 * is not an error.
 */
export async function writeRef(
  cached: CachedRepo,
  revision: string,
  commit: string,
): Promise<boolean> {
  if (isCommit(revision) || await readRef(cached, revision) === commit) return true;
  try {
    await writeFileAtomic(join(repoFolder(cached), "refs", revision), commit);
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

/** Sorted commits of which the cache has files. */
export async function listCommits(cached: CachedRepo): Promise<string[]> {
  const folder = join(repoFolder(cached), "snapshots");
  if (!await isFolder(folder)) return [];
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.filter(isCommit).sort();
}

/** Sorted paths of the cached files of a commit, with `/` between folders. */
export async function listSnapshot(cached: CachedRepo, commit: string): Promise<string[]> {
  const root = snapshotFolder(cached, commit);
  if (!await isFolder(root)) return [];
  const paths: string[] = [];
  const walk = async (folder: string, prefix: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await walk(join(folder, name), `${prefix}${name}/`);
      else if (!name.endsWith(".incomplete") && await isFile(join(folder, name))) { // skips dangling links
        paths.push(prefix + name);
      }
    }
  };
  await walk(root, "");
  return paths.sort();
}

/**
 * Adds a finished download to the snapshot: as a link to the blob, or as a copy if links are not possible. Safe to call
 * from several processes at once.
 */
export async function linkBlob(blob: string, pointer: string): Promise<void> {
  const target = relative(dirname(pointer), blob);
  if (await Deno.readLink(pointer).catch(() => null) === target) return;
  const beside = `${pointer}.${crypto.randomUUID().slice(0, 8)}.incomplete`;
  try {
    await Deno.mkdir(dirname(pointer), { recursive: true });
    await Deno.symlink(target, beside).catch(() => Deno.copyFile(blob, beside));
    await Deno.rename(beside, pointer);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw explainWriteError(pointer, error);
  }
}

/**
 * True if a file of a snapshot has its original content: it is a link to a blob whose hash equals its name. A copy, made
 * where links are not possible, cannot be verified and counts as intact.
 */
export async function isIntact(pointer: string): Promise<boolean> {
  const hash = basename(await Deno.realPath(pointer));
  return !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(hash) || await matchesHash(pointer, hash);
}

/** True if a file matches its hash in the repository: SHA-256 for large files, git's SHA-1 for small ones. */
export async function matchesHash(path: string, hash: string): Promise<boolean> {
  const digest = createHash(hash.length === 64 ? "sha256" : "sha1");
  const { size } = await Deno.stat(path);
  if (hash.length === 40) digest.update(`blob ${size}\0`);
  const file = await Deno.open(path);
  for await (const chunk of file.readable) digest.update(chunk);
  return digest.digest("hex") === hash;
}
