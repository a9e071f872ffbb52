/**
 * A cache of compiled libraries on disk. An entry is a folder, named by a digest of its inputs, with the library, its
 * sources and its checksum. It is published by a rename, so that processes may compile the same entry concurrently. A
 * damaged entry is compiled again.
 *
 * Loading a library runs its code. A library is therefore loaded only if nobody but root and the user of this process
 * could have written it: neither the file, nor the cache's folder, nor a folder above it. Otherwise, and if the folder
 * cannot be written, new entries go into a temporary folder of this process.
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { describeSystem, isSystemError } from "../../system.ts";

/** The library of an entry. */
const LIBRARY = describeSystem().libraryName;
/** Its SHA-256 in hexadecimal. */
const CHECKSUM = "library.sha256";
/** Names of entries and build folders; other names are not ours to delete. */
const OWN_NAME = /^(?:[a-z]+-)?[0-9a-f]{40}$|^\.build-/;
/** Number of days for which an unused entry is kept. */
const KEEP_DAYS = 60;

/** Permission bits of a file or folder. */
const WRITABLE_BY_GROUP = 0o020, WRITABLE_BY_ALL = 0o002;
/** In a folder with this mode bit, only the owner of an entry or of the folder can replace the entry. */
const STICKY = 0o1000;

let temporary: string | undefined;
/** True if the temporary folder has sources that an error has named. */
let keepsTemporary = false;
let pruned = false;

/**
 * True if only root and `user` can write a file or folder. A user's private group (with the user's number) has no other
 * members, and systems that have such groups often make files writable for it. False for a link, whose target is
 * unknown. File systems without owners (Windows) are not checked.
 */
export function isOwn(
  { uid, gid, mode, isSymlink }: Pick<Deno.FileInfo, "uid" | "gid" | "mode" | "isSymlink">,
  user: number | null,
): boolean {
  if (isSymlink) return false;
  if (uid === null || user === null) return true;
  const ownGroup = user !== 0 && uid === user && gid === user;
  const writable = (mode ?? 0) & (ownGroup ? WRITABLE_BY_ALL : WRITABLE_BY_ALL | WRITABLE_BY_GROUP);
  return (uid === 0 || uid === user) && writable === 0;
}

const findUser = () => process.geteuid?.() ?? null;

/** True if only root and we can replace the entries of `folder`: it and all above it are ours or, like `/tmp`, sticky. */
function isOwnPlace(folder: string): boolean {
  const info = Deno.lstatSync(folder), above = dirname(folder);
  const isSticky = ((info.mode ?? 0) & STICKY) !== 0;
  return isOwn(isSticky ? { ...info, mode: 0 } : info, findUser()) &&
    (above === folder || isOwnPlace(above));
}

/** `native` in `STX_CACHE`, or in `sentence-transformer` in the user's cache folder; undefined without a home. */
function chooseFolder(): string | undefined {
  const own = Deno.env.get("STX_CACHE");
  if (own) return resolve(own, "native"); // the compiler runs elsewhere
  const shared = describeSystem().userCache(Deno.env);
  return shared === undefined ? undefined : join(shared, "sentence-transformer", "native");
}

/** The real path of the cache's folder, created if necessary; null if it cannot be created or others can write it. */
function openShared(): string | null {
  const folder = chooseFolder();
  if (folder === undefined) return null;
  return unlessForbidden(() => {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const real = Deno.realPathSync(folder);
    return isOwn(Deno.lstatSync(real), findUser()) && isOwnPlace(dirname(real)) ? real : null;
  });
}

/** A sentence that says why compiled code is not cached and what to do about it; null if it is cached. */
export function explainLostCache(): string | null {
  if (openShared() !== null) return null;
  const folder = chooseFolder();
  const reason = folder === undefined
    ? "neither HOME nor STX_CACHE is set"
    : `${folder} cannot be created, or other users can write to it or to a folder above it`;
  return `compiled C is not cached, so every process compiles again: ${reason}; ` +
    "set STX_CACHE to a folder that only you can write";
}

/** The result of `act`, or null if the system forbids it. */
function unlessForbidden<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    const forbidden = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.AlreadyExists ||
      /read-only|os error (30|28|122)\b/i.test(String(error)); // or the disk is full, or a quota is exceeded
    if (!forbidden) throw error;
    return null;
  }
}

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** A digest of texts, flags and versions. */
export function digestParts(parts: readonly unknown[]): string {
  return sha256(JSON.stringify(parts)).slice(0, 40);
}

/** The path of the library in a build folder or in an entry's folder. */
export function libraryIn(folder: string): string {
  return join(folder, LIBRARY);
}

/** The path of an entry's library if it exists, is intact and only we can write it; else null. */
export function findLibrary(entry: string): string | null {
  for (const folder of [openShared(), temporary ?? null]) {
    if (folder === null) continue;
    const place = join(folder, entry), library = libraryIn(place);
    try {
      if (!isOwn(Deno.lstatSync(library), findUser())) continue;
      const checksum = Deno.readTextFileSync(join(place, CHECKSUM));
      if (sha256(Deno.readFileSync(library)) === checksum) return library;
    } catch (error) {
      if (!isSystemError(error)) throw error; // it is not there, or may not be read
    }
  }
  return null;
}

/** Creates a build folder next to the entries, or in a temporary folder that is removed when the process ends. */
export function openBuildFolder(): string {
  const folder = openShared();
  const build = (dir: string) => Deno.makeTempDirSync({ dir, prefix: ".build-" });
  const shared = folder === null ? null : unlessForbidden(() => build(folder));
  if (shared !== null) return shared;
  if (temporary === undefined) {
    const made = temporary = Deno.makeTempDirSync({ prefix: "sentence-transformer-" });
    globalThis.addEventListener("unload", () => {
      if (!keepsTemporary) removeFolder(made);
    });
  }
  return build(temporary);
}

/** The folder of an entry that is built in `buildFolder`. */
export function folderOf(buildFolder: string, entry: string): string {
  return join(dirname(buildFolder), entry);
}

/** Keeps the sources in a build folder as an entry without a library, and returns its folder. */
export function keepSources(buildFolder: string, entry: string): string {
  const place = folderOf(buildFolder, entry);
  keepsTemporary ||= dirname(buildFolder) === temporary;
  removeFolder(place); // of an earlier failure
  try {
    Deno.renameSync(buildFolder, place);
  } catch (error) {
    if (!isSystemError(error)) throw error; // another process has put the same sources there
  }
  return place;
}

/**
 * Publishes a build folder with a finished library as an entry, and returns the library's path. An intact entry that
 * another process has published meanwhile is used instead.
 */
export function publish(buildFolder: string, entry: string): string {
  const folder = dirname(buildFolder), place = folderOf(buildFolder, entry);
  const library = libraryIn(buildFolder);
  if (!isOwn(Deno.lstatSync(library), findUser())) Deno.chmodSync(library, 0o700); // the umask may let others write
  Deno.writeTextFileSync(join(buildFolder, CHECKSUM), sha256(Deno.readFileSync(library)));
  if (!pruned) prune(folder, Deno.statSync(library).mtime?.getTime() ?? 0); // by the clock of the file system
  pruned = true;
  for (let attempt = 0;; attempt++) {
    try {
      Deno.renameSync(buildFolder, place);
      return libraryIn(place);
    } catch (error) {
      const published = findLibrary(entry);
      if (published !== null) return published;
      if (attempt === 3 || !isSystemError(error)) throw error;
      removeFolder(place); // which is damaged
    }
  }
}

/**
 * Removes entries that were neither made nor read within {@link KEEP_DAYS}, and build folders of killed processes. Reads
 * count if the file system records access times (Linux does, to a day); elsewhere an entry that is still in use is
 * compiled again.
 */
function prune(cache: string, nowMs: number): void {
  const oldest = nowMs - KEEP_DAYS * 24 * 3600 * 1000;
  for (const { name, isDirectory } of Deno.readDirSync(cache)) {
    if (!isDirectory || !OWN_NAME.test(name)) continue;
    const folder = join(cache, name);
    try {
      const times = [Deno.statSync(folder).mtime];
      const hasLibrary = [...Deno.readDirSync(folder)].some(({ name }) => name === LIBRARY);
      if (hasLibrary) times.push(Deno.statSync(libraryIn(folder)).atime);
      if (times.every((time) => time !== null && time.getTime() < oldest)) removeFolder(folder);
    } catch (error) {
      if (!isSystemError(error)) throw error; // another process was quicker, or it is not ours
    }
  }
}

/** Removes a folder and its content, if it exists. */
export function removeFolder(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
