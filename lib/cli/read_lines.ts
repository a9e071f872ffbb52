/**
 * Texts that a task is given: as arguments, or line by line on standard input.
 * @module
 */

import { explainSystemError } from "@/files.ts";
import { decodeStream, streamLines } from "@/plain_text.ts";

/** Where texts come from, for `--help`. */
export const TEXTS_NOTE =
  "Texts are arguments after MODEL, else the lines of standard input; each line gives one result, a " +
  "blank one too. Write -- before a text that begins with a dash.";

/** Texts from standard input that run together; from a keyboard each line is answered at once. */
const CHUNK = 64;

/**
 * The texts given, in chunks: `given` itself, or the lines of standard input where there is none.
 * A blank line is a text like any other, so that results can be matched with lines.
 */
export async function* readTexts(given: readonly string[]): AsyncGenerator<readonly string[]> {
  if (given.length > 0) {
    checkArguments(given);
    yield given;
    return;
  }
  let isEmpty = true;
  try {
    const size = Deno.stdin.isTerminal() ? 1 : CHUNK;
    for await (const texts of chunkLines(Deno.stdin.readable, size)) {
      isEmpty = false;
      yield texts;
    }
  } catch (error) {
    throw explainSystemError(error, "Cannot read texts as standard input must be readable");
  }
  if (isEmpty) console.error("no texts: standard input is empty");
}

/** Refuses arguments of bytes that are not UTF-8: Deno gives U+FFFD in their place. */
function checkArguments(given: readonly string[]): void {
  const odd = given.findIndex((text) => text.includes("\ufffd"));
  if (odd < 0) return;
  throw new RangeError(
    `Cannot read texts as each argument must be UTF-8: text ${
      odd + 1
    } holds U+FFFD, which stands ` +
      "for other bytes; where U+FFFD itself is meant, give the text on standard input",
  );
}

/** Says what to type where texts are awaited from a keyboard, before a model is opened. */
export function explainKeyboard(task: string, given: readonly string[]): void {
  if (given.length > 0 || !Deno.stdin.isTerminal()) return;
  console.error(
    "No texts were given: type one on each line and end with Ctrl+D, or give them as arguments: " +
      `deno task ${task} MODEL "a text"`,
  );
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
