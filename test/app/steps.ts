/**
 * Steps of a test that share what is costly to make.
 * @module
 */

/** Steps by name, in order. */
export type Steps = Readonly<Record<string, () => Promise<void>>>;

/** Runs steps one after the other; each fails for itself. */
export async function runSteps(test: Deno.TestContext, steps: Steps): Promise<void> {
  for (const [name, fn] of Object.entries(steps)) await test.step(name, fn);
}
