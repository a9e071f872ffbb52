/**
 * Files written whole or not at all, and JSON read with errors that name the file.
 * @module
 */

/** `path` with a suffix that no other process uses. */
function besideName(path: string): string {
  return `${path}.${Deno.pid}-${crypto.randomUUID().slice(0, 8)}.part`;
}

/**
 * Lets `write` fill a file beside `path`, flushes it to the disk and renames it over `path`, so that
 * a reader sees the old file or the new one, never a half. On failure nothing is left behind.
 */
export async function replaceFile(
  path: string,
  write: (file: Deno.FsFile) => Promise<void>,
): Promise<void> {
  const beside = besideName(path);
  try {
    {
      using file = await Deno.open(beside, { write: true, createNew: true });
      await write(file);
      await file.sync();
    }
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {}); // it may never have been made
    throw error;
  }
}

/** Writes all of `bytes` at the file's position; `Deno.FsFile.write` alone may stop early. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/** Writes `content` to `path`, whole or not at all; the folder must exist. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await replaceFile(path, (file) => writeAll(file, bytes));
}

/**
 * The parsed JSON of `path`; `what` says in errors what the file is ("model configuration").
 *
 * @throws {Deno.errors.NotFound} when there is no such file
 * @throws {SyntaxError} when it is not JSON
 */
export async function readJson(path: string, what: string): Promise<unknown> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read ${what} as there is no file ${path}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(
      `Cannot read ${what} as ${path} must be JSON: ${error instanceof Error ? error.message : ""}`,
    );
  }
}
