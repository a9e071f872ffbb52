/**
 * Texts that a task is given: as arguments, or line by line on standard input.
 * @module
 */

import { decodeStream, streamLines } from "@/plain_text.ts";

/** Texts from standard input that run together; from a keyboard each line is answered at once. */
const CHUNK = 64;

/**
 * The texts given, in chunks: `given` itself, or the lines of standard input where there is none.
 * A blank line is a text like any other, so that results can be matched with lines.
 */
export async function* readTexts(given: readonly string[]): AsyncGenerator<readonly string[]> {
  if (given.length > 0) {
    yield given;
    return;
  }
  const keyboard = Deno.stdin.isTerminal();
  if (keyboard) console.error("Type a text a line; Ctrl+D ends.");
  yield* chunkLines(Deno.stdin.readable, keyboard ? 1 : CHUNK);
}

/** The lines of a stream of bytes, at most `size` at a time. */
export async function* chunkLines(
  bytes: ReadableStream<Uint8Array>,
  size: number,
): AsyncGenerator<readonly string[]> {
  let chunk: string[] = [];
  const source = { what: "texts", name: "standard input" };
  for await (const lines of streamLines(decodeStream(bytes, source))) {
    for (const line of lines) {
      chunk.push(line);
      if (chunk.length < size) continue;
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
