/**
 * Specs of TensorFlow.js that are left out, each with its reason.
 * @module
 */

/** `spec` is the end of the spec's full name. */
export type Exclusion = { readonly file: string; readonly spec: string; readonly reason: string };

const LAST_PLACE =
  "The result is float32's next neighbor to the rounded one, and its neighbors lie " +
  "further apart here than the 0.001 that the test allows.";

export const EXCLUSIONS: readonly Exclusion[] = [
  { file: "ops/exp_test.js", spec: "> int32", reason: LAST_PLACE },
  { file: "ops/tan_test.js", spec: "> numbers exceed float32 precision", reason: LAST_PLACE },
];

/** The exclusion that a spec falls under, if any. */
export function findExclusion(file: string, name: string): Exclusion | undefined {
  return EXCLUSIONS.find((exclusion) => exclusion.file === file && name.endsWith(exclusion.spec));
}
