/**
 * Text files as streams of decoded text and of lines.
 * @module
 */

import { CONTENT_START_BYTES, isFolder, requireContent } from "@/system/files.ts";
import { decodeStream, streamLines } from "@/plain_text.ts";

/** Maximum length of a line or a record in UTF-16 units; longer ones are damage, and would exhaust memory. */
export const MAX_LINE = 2 ** 25;

/**
 * Yields the decoded text of a file in parts.
 *
 * @throws {Deno.errors.NotFound} If there is no file.
 * @throws {EncodingError} For bytes that are not text, with their line.
 * @throws {RangeError} For a line longer than {@link MAX_LINE}, and for a pointer or a web page in place of the file.
 */
export async function* streamText(path: string): AsyncGenerator<string> {
  if (await isFolder(path)) {
    throw new Deno.errors.IsADirectory(`Cannot read ${path}: it is a folder, not a data file`);
  }
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read ${path}: there is no such file`);
  }
  const source = { what: "data", name: path };
  let line = 1, length = 0; // of the line that has not ended
  for await (const part of decodeStream(checkStart(file.readable, path), source)) {
    const ends = countEnds(part);
    const first = ends === 0 ? part.length : part.search(/[\n\r]/);
    if (length + first > MAX_LINE) {
      throw new RangeError(
        `Cannot read ${path}: line ${line} is longer than ${
          MAX_LINE / 2 ** 20
        } Mi characters; a row of a data set is at most a document`,
      );
    }
    const last = Math.max(part.lastIndexOf("\n"), part.lastIndexOf("\r"));
    length = ends === 0 ? length + part.length : part.length - last - 1;
    line += ends;
    yield part;
  }
}

/** Yields the lines of a text file in groups; see {@link streamText}. */
export async function* streamFileLines(path: string): AsyncGenerator<string[]> {
  yield* streamLines(streamText(path));
}

function checkStart(stream: ReadableStream<Uint8Array>, path: string): ReadableStream<Uint8Array> {
  let isFirst = true;
  return stream.pipeThrough(
    new TransformStream({
      transform(bytes: Uint8Array, controller) {
        if (isFirst) requireContent(bytes.subarray(0, CONTENT_START_BYTES), path, "data");
        isFirst = false;
        controller.enqueue(bytes);
      },
    }),
  );
}

const countEnds = (text: string) => text.match(/\r\n|\n|\r/g)?.length ?? 0;
