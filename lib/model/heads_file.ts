/**
 * `heads.json`: what a model folder says beyond what the ecosystem reads: tasks with their label names,
 * and how embeddings are made (sentence-transformers' modules cannot say L1).
 * @module
 */
import { readJson } from "@/files.ts";
import { NORMALIZE_MODES, POOLING_MODES, TASK_KINDS } from "@/config.ts";
import type { NormalizeMode, PoolingMode } from "@/config.ts";
import type { ModelTask } from "@/model/parameters.ts";

/** The content of `heads.json`. */
export type HeadsFile = {
  readonly pooling: PoolingMode;
  /** False: pooling skips [CLS] and the prompt. Older files leave it out, which means true. */
  readonly includePrompt: boolean;
  /** E; null: no projection. */
  readonly embeddingSize: number | null;
  readonly normalize: NormalizeMode;
  /** Longest input in word pieces, [CLS] and [SEP] included. */
  readonly maxLength: number;
  readonly tasks: readonly ModelTask[];
};

/** Version of the layout; raised when an old reader would misread a new file. */
const FORMAT = 1;

/** The JSON to write. */
export function formatHeadsFile(content: HeadsFile): string {
  return `${JSON.stringify({ format: FORMAT, ...content }, null, 2)}\n`;
}

type JsonObject = { readonly [key: string]: unknown };

/** The value under `key`, which must be one of `choices`. */
function pick<T extends string>(
  object: JsonObject,
  key: string,
  { path, choices }: { readonly path: string; readonly choices: readonly T[] },
): T {
  const choice = choices.find((choice) => choice === object[key]);
  return choice ?? fail(object, key, { path, wanted: `one of ${choices.join(", ")}` });
}

/** Refuses the value under `key`. */
function fail(
  object: JsonObject,
  key: string,
  { path, wanted }: { readonly path: string; readonly wanted: string },
): never {
  throw new RangeError(
    `Cannot load model as "${key}" in ${path} must be ${wanted}: current value is ${
      JSON.stringify(object[key]) ?? "missing"
    }`,
  );
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** One task; its name is a part of tensor names. */
function parseTask(task: unknown, path: string): ModelTask {
  const object = (typeof task === "object" && task !== null ? task : {}) as JsonObject;
  const { name, labels } = object;
  if (typeof name !== "string" || name === "") {
    return fail(object, "name", { path, wanted: "text" });
  }
  const isText = (label: unknown): label is string => typeof label === "string";
  if (!Array.isArray(labels) || labels.length === 0 || !labels.every(isText)) {
    return fail(object, "labels", { path, wanted: "a list of names" });
  }
  return { name, kind: pick(object, "kind", { path, choices: TASK_KINDS }), labels };
}

/** Refuses a `maxLength` of the `heads.json` at `path` beyond the encoder's table of positions. */
export function requirePositions(
  { maxPositions }: { readonly maxPositions: number },
  maxLength: number,
  path: string,
): void {
  if (maxLength <= maxPositions) return;
  throw new RangeError(
    `Cannot load model as "maxLength" in ${path} must be at most the encoder's ${maxPositions} positions: current value is ${maxLength}`,
  );
}

/**
 * Reads and checks `heads.json` at `path`.
 *
 * @throws {RangeError} naming file, key, what is wanted and what is there
 */
export async function readHeadsFile(path: string): Promise<HeadsFile> {
  const json = await readJson(path, "task heads");
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new RangeError(`Cannot load model as ${path} must hold a JSON object`);
  }
  const object = json as JsonObject;
  if (object.format !== FORMAT) fail(object, "format", { path, wanted: `${FORMAT}` });
  const { embeddingSize, maxLength, tasks, includePrompt = true } = object;
  if (typeof includePrompt !== "boolean") {
    return fail(object, "includePrompt", { path, wanted: "true or false" });
  }
  if (embeddingSize !== null && !isSize(embeddingSize)) {
    return fail(object, "embeddingSize", { path, wanted: "null or a whole number from 1" });
  }
  if (!isSize(maxLength)) {
    return fail(object, "maxLength", { path, wanted: "a whole number from 1" });
  }
  if (!Array.isArray(tasks)) return fail(object, "tasks", { path, wanted: "a list" });
  const parsed = tasks.map((task) => parseTask(task, path));
  const names = parsed.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    return fail({ names }, "names", { path, wanted: "different for each task" });
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
