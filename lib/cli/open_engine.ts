/**
 * Opens the engine for a configuration and reports fallbacks on stderr.
 * @module
 */
import { type Precision, PRECISIONS } from "@/engine/options.ts";
import type { OpenedEngine } from "@/engine/engine.ts";
import { type EngineConfig, openConfiguredEngine } from "@/system/configured_engine.ts";
import { openTextModel, type TextModel } from "@/eval/text_model.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { findGraphWithoutWeights } from "@/model/save_onnx.ts";
import type { ProgressView } from "@/progress.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { didYouMean } from "@/suggest.ts";
import type { Option } from "./arguments.ts";

/** Option `--set` of tasks that have no training configuration: only keys of the engine. */
export const SET_ENGINE = {
  type: "string",
  value: "KEY=VALUE",
  multiple: true,
  help: "sets a key of device, executor, native or tensorflow, such as native.threads=4",
} as const satisfies Option;

/** Option `--precision` of the same tasks. */
export const PRECISION_OPTION = {
  type: "string",
  choices: PRECISIONS,
  default: "float32",
  help: "precision of matrix products",
} as const satisfies Option;

/** Parses the value of {@link PRECISION_OPTION}. */
export function readPrecision(value: string): Precision {
  return PRECISIONS.find((name) => name === value) ?? PRECISION_OPTION.default;
}

/** Configuration keys that {@link SET_ENGINE} accepts. */
const KEYS = ["device", "executor", "native", "tensorflow"] as const;

/** Configuration that {@link SET_ENGINE} can set. */
type EngineChoice = Omit<EngineConfig, "precision">;

/** Throws if a value of {@link SET_ENGINE} sets another key; otherwise returns the values. */
export function checkEngineKeys(task: string, set: readonly string[]): readonly string[] {
  const invalid = set.find((each) => !KEYS.some((key) => key === each.split(/[.=]/, 1)[0]));
  if (invalid === undefined) return set;
  throw new RangeError(
    `Cannot run ${task}: --set can only set keys of ${KEYS.join(", ")}, not ${invalid}${
      didYouMean(invalid.split(/[.=]/, 1)[0] ?? "", KEYS)
    }`,
  );
}

/** Configuration set by values of {@link SET_ENGINE}; other keys have their defaults. */
export function readEngineChoice(task: string, set: readonly string[]): EngineChoice {
  const { device, executor, native, tensorflow } = resolveConfig({
    set: checkEngineKeys(task, set),
  });
  return { device, executor, native, tensorflow };
}

/** Options of {@link openModelFor}. */
type ModelChoice = {
  /** Name of the task, for error messages. */
  readonly task: string;
  /** Engine for models with weights. */
  readonly engine: EngineConfig;
  /** Values of {@link SET_ENGINE} from which `engine` was resolved. */
  readonly set?: readonly string[];
  /** Shows the progress of downloads from the Hub. */
  readonly view?: ProgressView;
};

/**
 * Opens a model for inference, and the engine if the model has weights. An exported graph without weights runs in ONNX
 * Runtime, for which only the number of threads can be set.
 */
export async function openModelFor(source: string, options: ModelChoice): Promise<TextModel> {
  const { task, engine, set = [], view } = options;
  const folder = await findModelFolder(source, view ? { view } : {});
  const graph = await findGraphWithoutWeights(folder);
  if (graph === null) {
    await openEngineFor(engine); // before the model is opened, because the engine owns its tensors
    return await openTextModel(folder);
  }
  const invalid = set.find((each) => !each.startsWith("native.threads=")) ??
    (engine.precision === "float32" ? undefined : `precision ${engine.precision}`);
  if (invalid !== undefined) {
    throw new RangeError(
      `Cannot run ${task} with ${invalid}: ${source} has no weights, only the exported graph ${graph}. ` +
        "ONNX Runtime runs it; only native.threads can be set",
    );
  }
  const { threads } = engine.native;
  return await openTextModel(folder, threads === null ? {} : { threads });
}

/** Opens the engine and makes it the backend of TensorFlow.js. */
export function openEngineFor(config: EngineConfig): Promise<OpenedEngine> {
  return openConfiguredEngine(config, (note) => console.error(note));
}
