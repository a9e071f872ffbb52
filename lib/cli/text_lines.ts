/**
 * Reads the texts of a task from its arguments, or from standard input line by line, and prints results as lines.
 * @module
 */

import { explainSystemError } from "@/system/files.ts";
import { decodeStream, streamLines } from "@/plain_text.ts";

/** Describes the source of texts for `--help`. */
export const TEXTS_NOTE =
  "Texts are the arguments after MODEL, else the lines of standard input. Each line has one result, also a " +
  "blank one. Write -- before a text that starts with a dash.";

/** Number of lines that are processed together; lines typed in a terminal are processed one by one. */
const CHUNK = 64;

/**
 * Yields texts in chunks: `given`, or the lines of standard input if `given` is empty. Blank lines count as texts, so
 * that results correspond to lines.
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
    throw explainSystemError(error, "Cannot read texts from standard input");
  }
  if (isEmpty) console.error("no texts: standard input is empty");
}

/** Throws if an argument was not UTF-8; Deno replaces its invalid bytes by U+FFFD. */
function checkArguments(given: readonly string[]): void {
  const invalid = given.findIndex((text) => text.includes("\ufffd"));
  if (invalid < 0) return;
  throw new RangeError(
    `Cannot read texts: text ${
      invalid + 1
    } is not valid UTF-8, since it contains U+FFFD in place of ` +
      "invalid bytes; if U+FFFD is intended, pass the text on standard input",
  );
}

/** Prints how to enter texts if they are read from a terminal; call it before a model is opened. */
export function explainKeyboard(task: string, given: readonly string[]): void {
  if (given.length > 0 || !Deno.stdin.isTerminal()) return;
  console.error(
    "Enter one text per line and end with Ctrl+D. Texts can also be given as arguments: " +
      `deno task ${task} MODEL "a text"`,
  );
}

/** Splits a byte stream into lines and yields up to `size` lines at a time. */
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

const encoder = new TextEncoder();

/**
 * Prints lines on standard output. Returns false if the reader has closed the pipe, as in `| head -1`; a task that only
 * prints can then stop.
 */
export function printLines(lines: readonly string[]): boolean {
  const bytes = encoder.encode(lines.map((line) => `${line}\n`).join(""));
  try {
    for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw explainSystemError(error, "Cannot write results to standard output");
  }
}
