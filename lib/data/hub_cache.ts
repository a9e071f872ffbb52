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
import { isFile, isFolder, writeFileAtomic } from "@/files.ts";

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

/** Whether `revision` is a commit's full hash, which needs no looking up. */
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

/** Notes the commit of a revision. */
export async function writeRef(
  cached: CachedRepo,
  revision: string,
  commit: string,
): Promise<void> {
  if (isCommit(revision)) return;
  await writeFileAtomic(join(repoFolder(cached), "refs", revision), commit);
}

/** Paths of the files that the cache holds of a commit, sorted, with `/` between folders. */
export async function listSnapshot(cached: CachedRepo, commit: string): Promise<string[]> {
  const root = snapshotFolder(cached, commit);
  if (!await isFolder(root)) return [];
  const paths: string[] = [];
  const walk = async (folder: string, prefix: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await walk(join(folder, name), `${prefix}${name}/`);
      else if (await isFile(join(folder, name))) paths.push(prefix + name); // not a dangling link
    }
  };
  await walk(root, "");
  return paths.sort();
}

/**
 * Puts a finished download into its place: the blob by its hash, a link to it in the snapshot. Where
 * links cannot be made the snapshot gets a copy.
 */
export async function linkBlob(blob: string, pointer: string): Promise<void> {
  await Deno.mkdir(dirname(pointer), { recursive: true });
  const link = `${pointer}.${Deno.pid}.link`;
  try {
    await Deno.symlink(relative(dirname(pointer), blob), link);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    await Deno.copyFile(blob, link);
  }
  await Deno.rename(link, pointer);
}

/**
 * Whether a file of a snapshot is what it was when it was fetched: a link to a blob, which bears its hash
 * as its name. A copy, where links cannot be made, is taken as it is.
 */
export async function isWhole(pointer: string): Promise<boolean> {
  const hash = basename(await Deno.realPath(pointer));
  return !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(hash) || await matchesHash(pointer, hash);
}

/**
 * Whether a file is what its hash in the repository says: a large file's SHA-256, or git's SHA-1 of a
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
