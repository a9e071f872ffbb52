/**
 * Tells clear errors from accidental ones. An error is clear if the project raises it itself and says what is
 * wrong with a file. Errors of the JavaScript engine or of a library that trips over the damage are not.
 * @module
 */

/** Messages of JavaScript engines that look like ours. */
const OF_THE_ENGINE =
  /^Cannot (read propert|set propert|convert|mix|destructure|access|delete|assign|create|define)/;

/** True if the message has the form of this project's errors: `Cannot …: …` or `config: …`. */
export function isClearError(error: unknown): boolean {
  return error instanceof Error && /^(Cannot \w+ [^]*: |config: )/.test(error.message) &&
    !OF_THE_ENGINE.test(error.message);
}
