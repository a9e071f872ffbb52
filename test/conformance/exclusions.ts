/**
 * Specs of TensorFlow.js that are left out, each with its reason.
 * @module
 */

/** `file` may end in `*`; `spec` is a part of the spec's full name ("" is all of the file's). */
export type Exclusion = { readonly file: string; readonly spec: string; readonly reason: string };

export const EXCLUSIONS: readonly Exclusion[] = [];

/** The exclusion that a spec falls under, if any. */
export function findExclusion(file: string, name: string): Exclusion | undefined {
  return EXCLUSIONS.find(({ file: pattern, spec }) =>
    (pattern.endsWith("*") ? file.startsWith(pattern.slice(0, -1)) : file === pattern) &&
    name.includes(spec)
  );
}

/** Whether a spec is left out. */
export function isExcluded(file: string, name: string): boolean {
  return findExclusion(file, name) !== undefined;
}
