/**
 * Checks that no other user could change a library before it is loaded, since loading a library runs its code.
 * Only root and the user of this process are trusted. File systems without owners (Windows) are not checked.
 * @module
 */
import { dirname } from "node:path";
import process from "node:process";

/** Ownership and permissions of a file or folder. */
export type Ownership = Pick<Deno.FileInfo, "uid" | "gid" | "mode" | "isSymlink">;

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;
/** In a folder with this mode bit, only the owner of an entry or of the folder can replace the entry. */
const STICKY = 0o1000;

/** The user that owns files created by this process; null on a system without users. */
export const findUser = (): number | null => process.geteuid?.() ?? null;

/** True if only the owner has write permission. */
export function isClosed({ mode }: Ownership): boolean {
  return ((mode ?? 0) & (WRITABLE_BY_GROUP | WRITABLE_BY_ALL)) === 0;
}

/**
 * True if only root and `user` can write. A user's private group (with the user's number) has no other members,
 * and systems that have such groups often make files writable for it. False for a link, whose target is unknown.
 */
export function isOwn(info: Ownership, user: number | null): boolean {
  const { uid, gid, mode, isSymlink } = info;
  if (isSymlink) return false;
  if (uid === null || user === null) return true;
  if (uid !== 0 && uid !== user) return false;
  const ownGroup = user !== 0 && uid === user && gid === user;
  return isClosed(info) || (ownGroup && ((mode ?? 0) & WRITABLE_BY_ALL) === 0);
}

/** True if only root and we can write the file or folder `path`, which is not a link. */
export function isGuarded(path: string): boolean {
  return isOwn(Deno.lstatSync(path), findUser());
}

/**
 * True if only root and we can replace entries of `folder`, a path without links: the folder and each of its
 * parents is guarded or, like `/tmp`, sticky.
 */
export function isGuardedPlace(folder: string): boolean {
  const info = Deno.lstatSync(folder), above = dirname(folder);
  const sticky = ((info.mode ?? 0) & STICKY) !== 0;
  if (!isOwn(sticky ? { ...info, mode: STICKY } : info, findUser())) return false;
  return above === folder || isGuardedPlace(above);
}
