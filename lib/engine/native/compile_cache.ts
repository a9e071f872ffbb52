/**
 * Compiled libraries on disk. Each entry is a folder named by a digest of all that went into it; it
 * appears by a rename, whole or not at all, and holds the library's checksum: a damaged one is built anew.
 * So is one that another user could have made or changed. Entries of a folder that cannot be written are used
 * all the same. Processes that build the same entry at once do not disturb each other.
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { findUser, isClosed, isGuarded, isGuardedPlace } from "@/engine/native/guarded.ts";
import { describeSystem } from "@/engine/system.ts";

/** Where compiled libraries are. */
export type Cache = {
  /** Folders in which entries are looked for, in order. */
  readonly folders: readonly string[];
  /** The one of them in which entries are made. */
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
 * The folder of compiled libraries, made if need be. What cannot be written is only read; new entries then
 * go into a temporary folder of this process. That folder alone is used where another user could write the
 * first, or put one in its place.
 */
export function openCache(): Cache {
  const parent = chooseFolder();
  const kept = parent === undefined ? null : openKept(join(parent, "native"));
  if (kept !== null && isWritable(kept)) return { folders: [kept], folder: kept };
  temporary ??= openTemporary();
  return { folders: kept === null ? [temporary] : [kept, temporary], folder: temporary };
}

/** Why nothing that is compiled is kept or found again, with what helps; null where it is. */
export function explainLostCache(): string | null {
  const parent = chooseFolder();
  const lost = "compiled C is not kept, so every process compiles anew";
  const advice = "set STX_CACHE to a folder that only you can write";
  if (parent === undefined) return `${lost}: neither HOME nor STX_CACHE says where; ${advice}`;
  const folder = join(parent, "native");
  if (openKept(folder) !== null) return null;
  return `${lost}: ${folder} cannot be made, or others can write it or a folder above it; ${advice}`;
}

/** The real path of a folder, made if need be; null where it cannot be, or is not for us alone to write. */
function openKept(name: string): string | null {
  const folder = resolve(name); // the compiler runs elsewhere
  return unlessForbidden(() => {
    if (!isGuardedPlace(findReal(dirname(folder)))) return null; // nothing is made at somebody else's
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const real = Deno.realPathSync(folder), info = Deno.statSync(real);
    if (!isClosed(info) && info.uid === findUser()) Deno.chmodSync(real, 0o700);
    return isGuarded(real) && isGuardedPlace(dirname(real)) ? real : null;
  });
}

/** The real path of a folder, or of the nearest above that is there. */
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

/** What `act` gives, or null where the system does not let us. */
function unlessForbidden<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    const forbidden = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.AlreadyExists ||
      /read-only|os error (30|28|122)\b/i.test(String(error)); // or full, or over its quota
    if (!forbidden) throw error;
    return null;
  }
}

/** A folder that goes with the process. */
function openTemporary(): string {
  const folder = Deno.makeTempDirSync({ prefix: "sentence-transformer-" });
  globalThis.addEventListener("unload", () => removeFolder(folder));
  return folder;
}

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

/** A name for what `parts` determine: texts, flags, versions. */
export function digestParts(parts: readonly unknown[]): string {
  return sha256(JSON.stringify(parts)).slice(0, 40);
}

/** The path of an entry's library if it is there, whole and for us alone to write, else null. */
export function findLibrary({ folders }: Cache, entry: string): string | null {
  for (const folder of folders) {
    const place = join(folder, entry), library = libraryIn(place);
    const checksum = join(place, CHECKSUM);
    try {
      if (![place, library, checksum].every(isGuarded)) continue;
      const expected = Deno.readTextFileSync(checksum).trim();
      if (sha256(Deno.readFileSync(library)) === expected) return library;
    } catch { /* it is not there, or may not be read */ }
  }
  return null;
}

/** A folder to build in, beside the entries; its name is of no account. */
export function openBuildFolder({ folder }: Cache): string {
  return Deno.makeTempDirSync({ dir: folder, prefix: ".build-" });
}

/** Where the library of a buildFolder is to be written, or that of an entry's folder is. */
export function libraryIn(folder: string): string {
  return join(folder, LIBRARY);
}

/**
 * Makes a buildFolder whose library is finished the entry, and gives the library's path. A whole entry that
 * another process made meanwhile stays and is used; one that may not be used is put aside.
 */
export function publish(buildFolder: string, cache: Cache, entry: string): string {
  const library = libraryIn(buildFolder), place = join(cache.folder, entry);
  const checksum = sha256(Deno.readFileSync(library));
  Deno.writeTextFileSync(join(buildFolder, CHECKSUM), checksum, { mode: 0o600 });
  if (!isClosed(Deno.statSync(library))) Deno.chmodSync(library, 0o700); // by the umask of the linker
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

/** Puts an entry aside, within its folder so that it may be anybody's, and removes what we may of it. */
function discard(place: string, aside: string): void {
  try {
    Deno.renameSync(place, aside);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // another process was quicker
  }
  unlessForbidden(() => removeFolder(aside));
}

/** Removes a folder and what is in it, if it is there. */
export function removeFolder(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
