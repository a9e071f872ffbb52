/**
 * Prints results on standard output.
 * @module
 */

import { explainSystemError } from "@/system/files.ts";

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
