/**
 * Results on standard output.
 * @module
 */

import { explainSystemError } from "@/files.ts";

const encoder = new TextEncoder();

/**
 * Prints lines on standard output. False once nobody reads it any more, as after `| head -1`: then a task
 * whose only work is printing has nothing left to do.
 */
export function printLines(lines: readonly string[]): boolean {
  const bytes = encoder.encode(lines.map((line) => `${line}\n`).join(""));
  try {
    for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw explainSystemError(error, "Cannot print results as standard output must take them");
  }
}
