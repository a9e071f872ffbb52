/**
 * Compiled libraries on disk. Each entry is a folder named by a digest of all that went into it; it
 * appears by a rename, whole or not at all, and holds the library's checksum: a damaged one is built anew.
 * Processes that build the same entry at once do not disturb each other.
 * @module
 */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

/** The library of an entry. */
const LIBRARY = "library.so";
/** Its SHA-256 in hexadecimal. */
const CHECKSUM = "library.sha256";

let temporary: string | undefined;

/** `STX_CACHE`, or `sentence-transformer` in the user's cache folder; undefined without a home. */
function chooseFolder(): string | undefined {
  const own = Deno.env.get("STX_CACHE");
  if (own) return own;
  const home = Deno.env.get("HOME");
  const shared = Deno.env.get("XDG_CACHE_HOME") || (home ? join(home, ".cache") : undefined);
  return shared === undefined ? undefined : join(shared, "sentence-transformer");
}

/**
 * The folder of compiled libraries, made if need be and closed to other users. Where none can be written, a
 * temporary one of this process.
 */
export function openCache(): string {
  const parent = chooseFolder();
  if (parent !== undefined) {
    const folder = resolve(parent, "native"); // the compiler runs elsewhere
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (((Deno.statSync(folder).mode ?? 0) & 0o077) !== 0) Deno.chmodSync(folder, 0o700);
      Deno.removeSync(Deno.makeTempDirSync({ dir: folder, prefix: ".try-" }));
      return folder;
    } catch (error) {
      const unwritable = error instanceof Deno.errors.PermissionDenied ||
        error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.AlreadyExists ||
        /read-only|os error (30|28|122)\b/i.test(String(error)); // or full, or over its quota
      if (!unwritable) throw error;
    }
  }
  temporary ??= openTemporary();
  return temporary;
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

/** The path of an entry's library if it is there and whole, else null. */
export function findLibrary(cache: string, entry: string): string | null {
  const path = join(cache, entry, LIBRARY);
  try {
    const expected = Deno.readTextFileSync(join(cache, entry, CHECKSUM)).trim();
    return sha256(Deno.readFileSync(path)) === expected ? path : null;
  } catch {
    return null;
  }
}

/** A folder to build in, beside the entries; its name is of no account. */
export function openWorkshop(cache: string): string {
  return Deno.makeTempDirSync({ dir: cache, prefix: ".build-" });
}

/** Where the library of a workshop is to be written. */
export function libraryIn(workshop: string): string {
  return join(workshop, LIBRARY);
}

/**
 * Makes a workshop whose library is finished the entry, and gives the library's path. A whole entry that
 * another process made meanwhile stays and is used; a damaged one is put aside.
 */
export function publish(workshop: string, cache: string, entry: string): string {
  Deno.writeTextFileSync(join(workshop, CHECKSUM), sha256(Deno.readFileSync(libraryIn(workshop))));
  const folder = join(cache, entry);
  for (let attempt = 0;; attempt++) {
    try {
      Deno.renameSync(workshop, folder);
      return join(folder, LIBRARY);
    } catch (error) {
      const made = findLibrary(cache, entry);
      if (made !== null) return made;
      if (attempt === 3) throw error;
      discardEntry(cache, entry);
    }
  }
}

/** Puts a damaged entry aside and removes it. */
function discardEntry(cache: string, entry: string): void {
  const aside = join(Deno.makeTempDirSync({ dir: cache, prefix: ".damaged-" }), entry);
  try {
    Deno.renameSync(join(cache, entry), aside);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // another process was quicker
  } finally {
    removeFolder(join(aside, ".."));
  }
}

/** Removes a folder and what is in it, if it is there. */
export function removeFolder(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
