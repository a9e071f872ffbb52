/**
 * A task as a model knows it: its name, kind and labels.
 * @module
 */
import type { TaskKind } from "@/config/config.ts";

/** The properties of a task that a model needs. `TaskConfig` has them. */
export type ModelTask = {
  readonly name: string;
  readonly kind: TaskKind;
  /** Label names; a label's number is its index. */
  readonly labels: readonly string[];
};
