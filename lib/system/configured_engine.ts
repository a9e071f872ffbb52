/**
 * Opens the engine with the options of a run's configuration.
 * @module
 */
import type { RunConfig } from "@/config/config.ts";
import { type OpenedEngine, openEngine } from "@/engine/engine.ts";
import { nextKernelInterrupt } from "./interrupt.ts";

/** The part of a run's configuration that concerns the engine. */
export type EngineConfig = Pick<
  RunConfig,
  "device" | "executor" | "precision" | "native" | "tensorflow"
>;

/**
 * Opens the engine for a configuration and makes it the backend of TensorFlow.js. From then on, an interrupt in Jupyter
 * ends the work and not the kernel.
 */
export function openConfiguredEngine(
  config: EngineConfig,
  onNote: (note: string) => void = () => {},
): Promise<OpenedEngine> {
  const { device, executor, precision, native, tensorflow } = config;
  nextKernelInterrupt();
  return openEngine({ device, executor, precision, ...native, ...tensorflow, onNote });
}
