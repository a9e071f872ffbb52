/**
 * The parts of Deno's namespace that reading a model folder uses, for Node.js. The npm package's bundle puts
 * this object in the place of the global one.
 * @module
 */
import { readFile, stat } from "node:fs/promises";

class NotFound extends Error {
  override readonly name = "NotFound";
}
class PermissionDenied extends Error {
  override readonly name = "PermissionDenied";
}
class IsADirectory extends Error {
  override readonly name = "IsADirectory";
}
class NotADirectory extends Error {
  override readonly name = "NotADirectory";
}

/** Error classes by the codes of Node.js. */
const BY_CODE: Readonly<Record<string, new (message: string) => Error>> = {
  ENOENT: NotFound,
  EACCES: PermissionDenied,
  EPERM: PermissionDenied,
  EISDIR: IsADirectory,
  ENOTDIR: NotADirectory,
};

/** Throws Deno's error for one of Node.js. */
function rethrow(error: unknown): never {
  if (!(error instanceof Error) || !("code" in error)) throw error;
  const kind = BY_CODE[String(error.code)];
  throw kind === undefined ? error : new kind(error.message);
}

/** Stands for Deno's global namespace. */
export const Deno = {
  errors: { NotFound, PermissionDenied, IsADirectory, NotADirectory },
  readFile: (path: string): Promise<Uint8Array> =>
    readFile(path).then((bytes) => new Uint8Array(bytes), rethrow),
  async stat(path: string): Promise<{ readonly isFile: boolean; readonly isDirectory: boolean }> {
    const found = await stat(path).catch(rethrow);
    return { isFile: found.isFile(), isDirectory: found.isDirectory() };
  },
};
