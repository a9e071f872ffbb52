/**
 * The cache that all of the Hub's tools share: `blobs/` by content hash, `snapshots/<commit>/` with links
 * to them in the repository's own layout, `refs/` from branch names to commits.
 *
 * Layout: https://huggingface.co/docs/huggingface_hub/v1.0.0/guides/manage-cache
 * @module
 */

import { createHash } from "node:crypto";
import { basename, dirname, join, relative } from "node:path";
import { getRepoFolderName, REGEX_COMMIT_HASH } from "@huggingface/hub";
import { explainWriteError, isFile, isFolder, isSystemError, writeFileAtomic } from "@/files.ts";

/** A repository in the cache. */
export type CachedRepo = {
  readonly cacheDir: string;
  readonly repo: string;
  readonly kind: RepoKind;
};

/** Kinds of repository that are read. */
export const REPO_KINDS = ["dataset", "model"] as const;
/** One of {@link REPO_KINDS}. */
export type RepoKind = typeof REPO_KINDS[number];

/** The repository's folder in the cache, such as `datasets--fancyzhx--ag_news`. */
export function repoFolder({ cacheDir, repo, kind }: CachedRepo): string {
  return join(cacheDir, getRepoFolderName({ name: repo, type: kind }));
}

/** The folder with a commit's files. */
export function snapshotFolder(cached: CachedRepo, commit: string): string {
  return join(repoFolder(cached), "snapshots", commit);
}

/** True if `revision` is a commit's full hash, which needs no lookup. */
export function isCommit(revision: string): boolean {
  return REGEX_COMMIT_HASH.test(revision);
}

/** The commit that the cache knows for a revision; null where it knows none. */
export async function readRef(cached: CachedRepo, revision: string): Promise<string | null> {
  if (isCommit(revision)) return revision;
  const path = join(repoFolder(cached), "refs", revision);
  if (!await isFile(path)) return null;
  const commit = (await Deno.readTextFile(path)).trim();
  return isCommit(commit) ? commit : null; // anything else is damage
}

/**
 * Notes the commit of a revision. False where the cache cannot be written to, which is no reason to stop:
 * the note serves later calls without the network.
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

/** Commits of which the cache holds files, sorted. */
export async function listCommits(cached: CachedRepo): Promise<string[]> {
  const folder = join(repoFolder(cached), "snapshots");
  if (!await isFolder(folder)) return [];
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.filter(isCommit).sort();
}

/** Paths of the files that the cache holds of a commit, sorted, with `/` between folders. */
export async function listSnapshot(cached: CachedRepo, commit: string): Promise<string[]> {
  const root = snapshotFolder(cached, commit);
  if (!await isFolder(root)) return [];
  const paths: string[] = [];
  const walk = async (folder: string, prefix: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await walk(join(folder, name), `${prefix}${name}/`);
      else if (!name.endsWith(".incomplete") && await isFile(join(folder, name))) { // no dangling link
        paths.push(prefix + name);
      }
    }
  };
  await walk(root, "");
  return paths.sort();
}

/**
 * Puts a finished download into its place in the snapshot: a link to the blob, or a copy where links
 * cannot be made. Several processes may do so at once.
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
 * True if a file of a snapshot is what it was when it was fetched: a link to a blob, which bears its hash
 * as its name. A copy, where links cannot be made, is taken as it is.
 */
export async function isWhole(pointer: string): Promise<boolean> {
  const hash = basename(await Deno.realPath(pointer));
  return !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(hash) || await matchesHash(pointer, hash);
}

/**
 * True if a file is what its hash in the repository says: a large file's SHA-256, or git's SHA-1 of a
 * small one.
 */
export async function matchesHash(path: string, hash: string): Promise<boolean> {
  const digest = createHash(hash.length === 64 ? "sha256" : "sha1");
  const { size } = await Deno.stat(path);
  if (hash.length === 40) digest.update(`blob ${size}\0`);
  const file = await Deno.open(path);
  for await (const chunk of file.readable) digest.update(chunk);
  return digest.digest("hex") === hash;
}
