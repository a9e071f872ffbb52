/**
 * Whether anybody else could change what is about to be loaded: loading a library is running its code. Only
 * root and the user of this process are trusted. A file system without owners (Windows) is not asked.
 * @module
 */
import { dirname } from "node:path";
import process from "node:process";

/** What a file system says of a file or folder, as far as it is of account here. */
export type Ownership = Pick<Deno.FileInfo, "uid" | "gid" | "mode" | "isSymlink">;

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;
/** In a folder of this mode, what is there can be replaced by its owner and the folder's alone. */
const STICKY = 0o1000;

/** The user as whom this process makes files; null on a system without. */
export const findUser = (): number | null => process.geteuid?.() ?? null;

/** Whether the file system lets only the owner write. */
export function isClosed({ mode }: Ownership): boolean {
  return ((mode ?? 0) & (WRITABLE_BY_GROUP | WRITABLE_BY_ALL)) === 0;
}

/**
 * Whether nobody but root and `user` can write. A user's own group (its number is the user's) has no other
 * members: where users have one, what they make is often open to it. A link says nothing of what it leads to.
 */
export function isOwn(info: Ownership, user: number | null): boolean {
  const { uid, gid, mode, isSymlink } = info;
  if (isSymlink) return false;
  if (uid === null || user === null) return true;
  if (uid !== 0 && uid !== user) return false;
  const ownGroup = user !== 0 && uid === user && gid === user;
  return isClosed(info) || (ownGroup && ((mode ?? 0) & WRITABLE_BY_ALL) === 0);
}

/** Whether nobody but root and us can write the file or folder `path` itself, which is no link. */
export function isGuarded(path: string): boolean {
  return isOwn(Deno.lstatSync(path), findUser());
}

/**
 * Whether nobody but root and us can put something else in the place of what we have in `folder`, a path free
 * of links: the folder and each above it is guarded or, like `/tmp`, sticky.
 */
export function isGuardedPlace(folder: string): boolean {
  const info = Deno.lstatSync(folder), above = dirname(folder);
  const sticky = ((info.mode ?? 0) & STICKY) !== 0;
  if (!isOwn(sticky ? { ...info, mode: STICKY } : info, findUser())) return false;
  return above === folder || isGuardedPlace(above);
}
