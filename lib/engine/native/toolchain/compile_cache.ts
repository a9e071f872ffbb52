/**
 * A cache of compiled libraries on disk. Each entry is a folder named by a digest of its inputs. It is published
 * atomically by a rename and contains the library's checksum. A damaged entry is compiled again, as is one that
 * another user could have created or changed. Entries in a read-only folder are still used. Several processes may
 * compile the same entry concurrently.
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { isSystemError } from "@/engine/system.ts";
import { findUser, isClosed, isGuarded, isGuardedPlace } from "../codegen/guarded.ts";
import { describeSystem } from "../../system.ts";

/** The folders of compiled libraries. */
export type Cache = {
  /** Folders to search for entries, in order. */
  readonly folders: readonly string[];
  /** The folder for new entries. */
  readonly folder: string;
};

/** The library of an entry. */
const LIBRARY = describeSystem().libraryName;
/** Its SHA-256 in hexadecimal. */
const CHECKSUM = "library.sha256";

let temporary: string | undefined;

/** `STX_CACHE`, or `sentence-transformer` in the user's cache folder; undefined without a home. */
function chooseFolder(): string | undefined {
  const own = Deno.env.get("STX_CACHE");
  if (own) return own;
  const shared = describeSystem().userCache(Deno.env);
  return shared === undefined ? undefined : join(shared, "sentence-transformer");
}

/**
 * Opens the cache and creates its folder if necessary. A folder that cannot be written is only read; new entries
 * then go into a temporary folder of this process. The temporary folder alone is used if another user could
 * write the first folder or replace it.
 */
export function openCache(): Cache {
  const parent = chooseFolder();
  const kept = parent === undefined ? null : openKept(join(parent, "native"));
  if (kept !== null && isWritable(kept)) return { folders: [kept], folder: kept };
  temporary ??= openTemporary();
  return { folders: kept === null ? [temporary] : [kept, temporary], folder: temporary };
}

/** A sentence that says why compiled code is not cached and what to do about it; null if it is cached. */
export function explainLostCache(): string | null {
  const parent = chooseFolder();
  const lost = "compiled C is not cached, so every process compiles again";
  const advice = "set STX_CACHE to a folder that only you can write";
  if (parent === undefined) return `${lost}: neither HOME nor STX_CACHE is set; ${advice}`;
  const folder = join(parent, "native");
  if (openKept(folder) !== null) return null;
  return `${lost}: ${folder} cannot be created, or other users can write to it or to a folder above it; ${advice}`;
}

/** The real path of a folder, created if necessary; null if it cannot be created or others could write it. */
function openKept(name: string): string | null {
  const folder = resolve(name); // the compiler runs elsewhere
  return unlessForbidden(() => {
    if (!isGuardedPlace(findReal(dirname(folder)))) return null; // creates nothing inside another user's folder
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const real = Deno.realPathSync(folder), info = Deno.statSync(real);
    if (!isClosed(info) && info.uid === findUser()) Deno.chmodSync(real, 0o700);
    return isGuarded(real) && isGuardedPlace(dirname(real)) ? real : null;
  });
}

/** The real path of a folder, or of its nearest existing parent. */
function findReal(folder: string): string {
  try {
    return Deno.realPathSync(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) || dirname(folder) === folder) throw error;
    return findReal(dirname(folder));
  }
}

function isWritable(folder: string): boolean {
  const tried = unlessForbidden(() => Deno.makeTempDirSync({ dir: folder, prefix: ".try-" }));
  if (tried !== null) Deno.removeSync(tried);
  return tried !== null;
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

/** A temporary folder that is removed when the process ends. */
function openTemporary(): string {
  const folder = Deno.makeTempDirSync({ prefix: "sentence-transformer-" });
  globalThis.addEventListener("unload", () => removeFolder(folder));
  return folder;
}

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** A digest of texts, flags and versions. */
export function digestParts(parts: readonly unknown[]): string {
  return sha256(JSON.stringify(parts)).slice(0, 40);
}

/** The path of an entry's library if it exists, is intact and only we can write it; else null. */
export function findLibrary({ folders }: Cache, entry: string): string | null {
  for (const folder of folders) {
    const place = join(folder, entry), library = libraryIn(place);
    const checksum = join(place, CHECKSUM);
    try {
      if (![place, library, checksum].every(isGuarded)) continue;
      const expected = Deno.readTextFileSync(checksum).trim();
      if (sha256(Deno.readFileSync(library)) === expected) return library;
    } catch (error) {
      if (!isSystemError(error)) throw error; // it is not there, or may not be read
    }
  }
  return null;
}

/** Creates a build folder with an arbitrary name next to the entries. */
export function openBuildFolder({ folder }: Cache): string {
  return Deno.makeTempDirSync({ dir: folder, prefix: ".build-" });
}

/** The path of the library in a build folder or in an entry's folder. */
export function libraryIn(folder: string): string {
  return join(folder, LIBRARY);
}

/**
 * Publishes a build folder with a finished library as an entry, and returns the library's path. An intact entry that
 * another process has published meanwhile is used instead; one that must not be used is moved aside.
 */
export function publish(buildFolder: string, cache: Cache, entry: string): string {
  const library = libraryIn(buildFolder), place = join(cache.folder, entry);
  const checksum = sha256(Deno.readFileSync(library));
  Deno.writeTextFileSync(join(buildFolder, CHECKSUM), checksum, { mode: 0o600 });
  if (!isClosed(Deno.statSync(library))) Deno.chmodSync(library, 0o700); // the linker's umask may allow others to write
  for (let attempt = 0;; attempt++) {
    try {
      Deno.renameSync(buildFolder, place);
      return libraryIn(place);
    } catch (error) {
      const made = findLibrary(cache, entry);
      if (made !== null) return made;
      if (attempt === 3) throw error;
      discard(place, `${buildFolder}-aside-${attempt}`);
    }
  }
}

/**
 * Moves an entry to `aside` in the same folder, which is possible even if the entry belongs to another user, and removes
 * as much of it as possible.
 */
function discard(place: string, aside: string): void {
  try {
    Deno.renameSync(place, aside);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // another process was faster
  }
  unlessForbidden(() => removeFolder(aside));
}

/** Removes a folder and its content, if it exists. */
export function removeFolder(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
