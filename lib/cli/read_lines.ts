/**
 * Texts that a task is given: as arguments, or line by line on stdin.
 * @module
 */

/** Texts from stdin that run together; from a keyboard each line is answered at once. */
const CHUNK = 64;

/**
 * The texts given, in chunks: `given` itself, none of which may be empty, or stdin's lines where there is
 * none; empty lines are left out.
 */
export async function* readTexts(given: readonly string[]): AsyncGenerator<readonly string[]> {
  if (given.length > 0) {
    const empty = given.findIndex((text) => text.trim() === "");
    if (empty >= 0) {
      throw new RangeError(
        `Cannot read texts as each must have a word: text ${empty + 1} of ${given.length} is empty`,
      );
    }
    yield given;
    return;
  }
  const keyboard = Deno.stdin.isTerminal();
  if (keyboard) console.error("Type a text a line; Ctrl+D ends.");
  yield* chunkLines(Deno.stdin.readable, keyboard ? 1 : CHUNK);
}

/** The lines of a stream of bytes, `size` at a time. */
export async function* chunkLines(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
  size: number,
): AsyncGenerator<readonly string[]> {
  let chunk: string[] = [], rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.trim() !== "") chunk.push(line.replace(/\r$/, ""));
      if (chunk.length < size) continue;
      yield chunk;
      chunk = [];
    }
  }
  if (rest.trim() !== "") chunk.push(rest);
  if (chunk.length > 0) yield chunk;
}
