/**
 * What a clear error is: one that the project raises itself, about what is wrong with a file, and not
 * what a language or a library says when it stumbles over the damage.
 * @module
 */

/** What JavaScript engines say, in words like ours. */
const OF_THE_ENGINE =
  /^Cannot (read propert|set propert|convert|mix|destructure|access|delete|assign|create|define)/;

/** Whether an error says what could not be done, and as what it should have been. */
export function isClearError(error: unknown): boolean {
  return error instanceof Error && /^(Cannot \w+ [^]*( as |: )|config: )/.test(error.message) &&
    !OF_THE_ENGINE.test(error.message);
}
