/**
 * Opens the engine as a configuration asks, and says on stderr what it could not have.
 * @module
 */
import type { RunConfig } from "@/config.ts";
import { type OpenedEngine, openEngine } from "@/engine/engine.ts";

/** Keys of a configuration that choose how numbers are computed. */
export type EngineConfig = Pick<RunConfig, "executor" | "precision"> & Partial<RunConfig>;

/** Makes the engine TensorFlow.js's backend. */
export function openEngineFor(
  { executor, precision, native = { isa: null, threads: null } }: EngineConfig,
): Promise<OpenedEngine> {
  const { isa, threads } = native;
  const onNote = (note: string) => console.error(note);
  return openEngine({ executor, precision, isa, threads, onNote });
}
