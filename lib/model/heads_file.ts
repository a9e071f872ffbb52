/**
 * `heads.json`: the part of a model folder that other libraries do not read. It lists the tasks with their labels,
 * and how embeddings are computed (the modules of sentence-transformers cannot express an L1 norm).
 * @module
 */
import { readJson } from "@/system/files.ts";
import {
  NORMALIZE_MODES,
  type NormalizeMode,
  POOLING_MODES,
  type PoolingMode,
  TASK_KINDS,
} from "@/config/config.ts";
import type { ModelTask } from "@/model/multi_task.ts";

/** The content of `heads.json`. */
export type HeadsFile = {
  /** Pooling of the sentence embedding. */
  readonly pooling: PoolingMode;
  /** If false, pooling skips [CLS] and the prompt. Older files omit it, which means true. */
  readonly includePrompt: boolean;
  /** E; null if there is no projection. */
  readonly embeddingSize: number | null;
  /** Normalization of the sentence embedding. */
  readonly normalize: NormalizeMode;
  /** Longest input in tokens, [CLS] and [SEP] included. */
  readonly maxLength: number;
  /** Tasks in the order of the heads. */
  readonly tasks: readonly ModelTask[];
};

/** Version of the format. Increment it when older versions of the reader would misread a new file. */
const FORMAT = 1;

/** Formats the content of `heads.json`. */
export function formatHeadsFile(content: HeadsFile): string {
  return `${JSON.stringify({ format: FORMAT, ...content }, null, 2)}\n`;
}

type JsonObject = { readonly [key: string]: unknown };

/** Returns the value under `key`, which must be one of `choices`. */
function pick<T extends string>(
  object: JsonObject,
  key: string,
  { path, choices }: { readonly path: string; readonly choices: readonly T[] },
): T {
  const choice = choices.find((choice) => choice === object[key]);
  return choice ?? fail(object, key, { path, wanted: `one of ${choices.join(", ")}` });
}

/** Throws an error about the value under `key`. */
function fail(
  object: JsonObject,
  key: string,
  { path, wanted }: { readonly path: string; readonly wanted: string },
): never {
  throw new RangeError(
    `Cannot load model: "${key}" in ${path} must be ${wanted}, but is ${
      JSON.stringify(object[key]) ?? "missing"
    }`,
  );
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** Validates one task. Its name becomes part of tensor names. */
function parseTask(task: unknown, path: string): ModelTask {
  const object = (typeof task === "object" && task !== null ? task : {}) as JsonObject;
  const { name, labels } = object;
  if (typeof name !== "string" || name === "") {
    return fail(object, "name", { path, wanted: "a string" });
  }
  const isText = (label: unknown): label is string => typeof label === "string";
  if (!Array.isArray(labels) || labels.length === 0 || !labels.every(isText)) {
    return fail(object, "labels", { path, wanted: "a list of strings" });
  }
  return { name, kind: pick(object, "kind", { path, choices: TASK_KINDS }), labels };
}

/** Throws if `maxLength` in the `heads.json` at `path` exceeds the size of the encoder's position table. */
export function requirePositions(
  { maxPositions }: { readonly maxPositions: number },
  maxLength: number,
  path: string,
): void {
  if (maxLength <= maxPositions) return;
  throw new RangeError(
    `Cannot load model: "maxLength" in ${path} must be at most the encoder's ${maxPositions} positions, but is ${maxLength}`,
  );
}

/**
 * Reads and validates `heads.json` at `path`.
 *
 * @throws {RangeError} with file, key, expected and actual value
 */
export async function readHeadsFile(path: string): Promise<HeadsFile> {
  const json = await readJson(path, "task heads");
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new RangeError(`Cannot load model: ${path} must contain a JSON object`);
  }
  const object = json as JsonObject;
  if (object.format !== FORMAT) fail(object, "format", { path, wanted: `${FORMAT}` });
  const { embeddingSize, maxLength, tasks, includePrompt = true } = object;
  if (typeof includePrompt !== "boolean") {
    return fail(object, "includePrompt", { path, wanted: "true or false" });
  }
  if (embeddingSize !== null && !isSize(embeddingSize)) {
    return fail(object, "embeddingSize", { path, wanted: "null or a positive integer" });
  }
  if (!isSize(maxLength)) {
    return fail(object, "maxLength", { path, wanted: "a positive integer" });
  }
  if (!Array.isArray(tasks)) return fail(object, "tasks", { path, wanted: "a list" });
  const parsed = tasks.map((task) => parseTask(task, path));
  const names = parsed.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    throw new RangeError(
      `Cannot load model: the tasks in ${path} must have different names, but are ${
        names.join(", ")
      }`,
    );
  }
  return {
    pooling: pick(object, "pooling", { path, choices: POOLING_MODES }),
    includePrompt,
    embeddingSize,
    normalize: pick(object, "normalize", { path, choices: NORMALIZE_MODES }),
    maxLength,
    tasks: parsed,
  };
}
