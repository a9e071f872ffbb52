/**
 * Atomic writing of files, and reading with errors that name the file.
 * @module
 */

import { basename, dirname, join } from "node:path";
import { isSystemError } from "@/engine/system.ts";
import { decodeText } from "@/plain_text.ts";

let written = 0;

/**
 * Lets `write` fill a temporary file next to `path`, flushes it to disk and renames it to `path`. Readers see the old or
 * the new file, never a partial one. Missing folders are created; after a failure no temporary file remains.
 */
export async function replaceFile(
  path: string,
  write: (file: Deno.FsFile) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const partial = join(folder, `.${basename(path)}.${Deno.pid}-${written++}.partial`);
  try {
    await Deno.mkdir(folder, { recursive: true });
    const file = await Deno.open(partial, { write: true, create: true, truncate: true });
    try {
      await write(file);
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw explainWriteError(path, error);
  }
}

/**
 * Converts an error of writing `path`: system errors (a full disk, a read-only folder) get a message with the path, other
 * errors are returned unchanged.
 */
export function explainWriteError(path: string, error: unknown): unknown {
  return explainSystemError(error, `Cannot write ${path}`);
}

/** Converts a system error to one whose message begins with `what`; other errors are returned unchanged. */
export function explainSystemError(error: unknown, what: string): unknown {
  if (!(error instanceof Error) || !/\(os error \d+\)/.test(error.message)) return error;
  const reason = error.message.replace(/\).*$/, ")").replace(/, .*$/, "");
  const message = `${what}: ${reason}`;
  return error instanceof Deno.errors.PermissionDenied
    ? new Deno.errors.PermissionDenied(message)
    : new Error(message);
}

/** Removes temporary files of killed writers in a folder and its subfolders. */
export async function removePartials(folder: string): Promise<void> {
  for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) await removePartials(join(folder, name));
    else if (isFile && isPartial(name)) await Deno.remove(join(folder, name)).catch(() => {});
  }
}

/** True if the name is that of an unfinished temporary file. */
export function isPartial(name: string): boolean {
  return /^\..+\.\d+-\d+\.partial$/.test(name);
}

/** Writes all of `bytes` at the file's position; a single `Deno.FsFile.write` may write less. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/** Writes `content` to `path` atomically; missing folders are created. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await replaceFile(path, (file) => writeAll(file, bytes));
}

/**
 * The parsed content of a JSON file.
 *
 * @param what Role of the file in errors, such as "run configuration".
 */
export async function readJson(path: string, what: string): Promise<unknown> {
  const text = await readText(path, what);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SyntaxError(`Cannot read ${what}: ${path} is not valid JSON (${reason})`);
  }
}

/** The content of a text file in one of the encodings of {@link decodeText}; errors name role and path. */
export async function readText(path: string, what: string): Promise<string> {
  return decodeText(await readBytes(path, what), { what, name: path });
}

/** Number of bytes that {@link requireContent} examines. */
export const CONTENT_START_BYTES = 512;

/**
 * Throws if the first bytes show that a file is not the real one: a pointer of Git LFS or git-annex from a clone without
 * large files, or a web page from a failed download.
 *
 * @param what Role of the file in errors.
 */
export function requireContent(start: Uint8Array, path: string, what: string): void {
  const text = new TextDecoder().decode(start.subarray(0, CONTENT_START_BYTES)).trimStart();
  const fail = (kind: string, advice: string): never => {
    throw new RangeError(
      `Cannot read ${what}: ${path} is ${kind} instead of the file itself; ${advice}`,
    );
  };
  if (/^version https:\/\/(?:git-lfs|hawser)\b/.test(text)) {
    const size = /^size (\d+)$/m.exec(text)?.[1];
    fail(
      `a Git LFS pointer${size === undefined ? "" : ` to ${size} bytes`}`,
      "run `git lfs pull` in its repository, or download the file",
    );
  }
  if (/^(?:\.\.\/)*(?:\.git)?\/annex\/objects\//.test(text)) {
    fail("a git-annex pointer", "run `git annex get` in its repository, or download the file");
  }
  const isPage = /^<(?:!doctype\s+html|html|head|\?xml|error)\b/i.test(text) ||
    (path.endsWith(".json") && text.startsWith("<"));
  if (isPage && !/\.(?:x?html?|xml|svg)$/i.test(path)) {
    fail("a web page", "download the file again, signing in if its host requires it");
  }
}

/** The bytes of a file; the error for a missing or wrong file names its role and path. */
export async function readBytes(path: string, what: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const bytes = await Deno.readFile(path);
    requireContent(bytes, path, what);
    return bytes;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Deno.errors.NotFound(`Cannot read ${what}: ${path} does not exist`);
    }
    if (error instanceof Deno.errors.IsADirectory || await isFolder(path)) {
      throw new Deno.errors.IsADirectory(
        `Cannot read ${what}: ${path} is a folder, not a file`,
      );
    }
    throw error;
  }
}

/** True if there is an accessible folder at `path`. */
export async function isFolder(path: string): Promise<boolean> {
  return (await lookAt(path))?.isDirectory ?? false;
}

/** True if there is an accessible file at `path`. */
export async function isFile(path: string): Promise<boolean> {
  return (await lookAt(path))?.isFile ?? false;
}

async function lookAt(path: string): Promise<Deno.FileInfo | null> {
  if (path.includes("\0")) return null; // invalid in file names
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}
