/**
 * Opens the engine as a configuration asks, and says on stderr what it could not have.
 * @module
 */
import { type Precision, PRECISIONS, type RunConfig } from "@/config.ts";
import { engineOptions, type OpenedEngine, openEngine } from "@/engine/engine.ts";
import { openTextModel, type TextModel } from "@/eval/text_model.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { findGraphWithoutWeights } from "@/model/save_onnx.ts";
import type { ProgressView } from "@/progress.ts";
import { resolveConfig } from "@/resolve_config.ts";
import { didYouMean } from "@/suggest.ts";
import type { Option } from "./arguments.ts";

/** Option of tasks that compute without a configuration of their own. */
export const SET_ENGINE = {
  type: "string",
  value: "KEY=VALUE",
  multiple: true,
  help: "one key of how numbers are computed, such as native.threads=4",
} as const satisfies Option;

/** Option of the same tasks: they compute in float32 unless asked otherwise. */
export const PRECISION_OPTION = {
  type: "string",
  choices: PRECISIONS,
  default: "float32",
  help: "precision of matmuls",
} as const satisfies Option;

/** The precision that {@link PRECISION_OPTION} names. */
export function readPrecision(value: string): Precision {
  return PRECISIONS.find((name) => name === value) ?? PRECISION_OPTION.default;
}

/** What {@link SET_ENGINE} may begin with. */
const KEYS = ["device", "executor", "native", "tensorflow"] as const;

/** Keys of a configuration that choose how numbers are computed. */
export type EngineConfig = Pick<RunConfig, typeof KEYS[number] | "precision">;

/** What {@link SET_ENGINE} can choose. */
export type EngineChoice = Omit<EngineConfig, "precision">;

/** Refuses values of {@link SET_ENGINE} that name another key. */
export function checkEngineKeys(task: string, set: readonly string[]): readonly string[] {
  const odd = set.find((each) => !KEYS.some((key) => key === each.split(/[.=]/, 1)[0]));
  if (odd === undefined) return set;
  throw new RangeError(
    `Cannot run ${task} as --set must name a key of ${KEYS.join(", ")}: current value is ${odd}${
      didYouMean(odd.split(/[.=]/, 1)[0] ?? "", KEYS)
    }`,
  );
}

/** The choice that values of {@link SET_ENGINE} make; what they leave out is as in a preset. */
export function readEngineChoice(task: string, set: readonly string[]): EngineChoice {
  const { device, executor, native, tensorflow } = resolveConfig({
    set: checkEngineKeys(task, set),
  });
  return { device, executor, native, tensorflow };
}

/** How {@link openModelFor} opens a model. */
export type ModelChoice = {
  /** The task that asks, for errors. */
  readonly task: string;
  /** What computes weights. */
  readonly engine: EngineConfig;
  /** Values of {@link SET_ENGINE} that made `engine`. */
  readonly set?: readonly string[];
  /** Shows what is fetched from the Hub. */
  readonly view?: ProgressView;
};

/**
 * Opens a model to be asked, and the engine where that computes it. An exported graph without weights is
 * computed by ONNX Runtime, for which nothing but the number of threads can be chosen.
 */
export async function openModelFor(source: string, options: ModelChoice): Promise<TextModel> {
  const { task, engine, set = [], view } = options;
  const folder = await findModelFolder(source, view ? { view } : {});
  const graph = await findGraphWithoutWeights(folder);
  if (graph === null) {
    await openEngineFor(engine); // first: it must hold the model's tensors
    return await openTextModel(folder);
  }
  const odd = set.find((each) => !each.startsWith("native.threads=")) ??
    (engine.precision === "float32" ? undefined : `precision ${engine.precision}`);
  if (odd !== undefined) {
    throw new RangeError(
      `Cannot run ${task} with ${odd} as ${source} must hold weights for that: it holds ${graph} alone, ` +
        "which ONNX Runtime computes as it was exported; only native.threads can be set",
    );
  }
  const { threads } = engine.native;
  return await openTextModel(folder, threads === null ? {} : { threads });
}

/** Makes the engine TensorFlow.js's backend. */
export function openEngineFor(config: EngineConfig): Promise<OpenedEngine> {
  return openEngine({ ...engineOptions(config), onNote: (note) => console.error(note) });
}
