/**
 * Steps of a test that share an expensive setup.
 * @module
 */

/** Steps by name, in order. */
export type Steps = Readonly<Record<string, () => Promise<void>>>;

/** Runs steps in order; a failure does not skip the later ones. */
export async function runSteps(test: Deno.TestContext, steps: Steps): Promise<void> {
  for (const [name, fn] of Object.entries(steps)) await test.step(name, fn);
}
