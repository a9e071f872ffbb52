/**
 * Combines a preset, a file and command line settings into the complete configuration of a run. Objects are merged, arrays
 * are replaced, later parts win. The result is validated, and derived values are computed once.
 * @module
 */
import type { RunConfig, SplitConfig, TaskConfig } from "./config.ts";
import { checkTogether } from "./config_constraints.ts";
import { RUN_SCHEMA } from "./config_schema.ts";
import { PRESETS } from "./presets.ts";
import { isObject, unknownKey, validate, wrongChoice, wrongValue } from "@/schema.ts";
import { suggestPath } from "@/suggest.ts";

/** Parts of a configuration; all are optional. */
export type ConfigParts = {
  /** Name of a preset; default: the file's `preset`, else `quickstart`. */
  readonly preset?: string | undefined;
  /** Parsed JSON: a partial or complete configuration. */
  readonly file?: unknown;
  /** Settings `key.path=value`; the value is JSON or else plain text, and later settings win. */
  readonly set?: readonly string[] | undefined;
  /** A typed partial configuration; overrides `file` and is overridden by `set`. */
  readonly overrides?: ConfigOverrides | undefined;
  /** `model.source`, `data.dir` and `precision` by their short names. */
  readonly shortcuts?: {
    readonly model?: string | undefined;
    readonly data?: string | undefined;
    readonly precision?: string | undefined;
  };
};

/** Beginning of all errors. */
const where = "config: ";

/** Keys of a task that have a default. */
export type TaskDefault = "split" | "dropInvalid" | "alsoTest" | "weight" | "metric";

/** A task as written by a user. */
export type TaskInput =
  & Omit<TaskConfig, TaskDefault>
  & Partial<
    Pick<TaskConfig, Exclude<TaskDefault, "split">> & { readonly split: Partial<SplitConfig> }
  >;

/** A partial `T`: keys of objects are optional, arrays are complete. */
export type PartOf<T> = T extends readonly unknown[] ? T
  : T extends object ? { readonly [K in keyof T]?: PartOf<T[K]> }
  : T;

/** A partial configuration that overrides a preset. */
export type ConfigOverrides = PartOf<Omit<RunConfig, "preset" | "tasks">> & {
  /** Replaces all tasks of the preset. */
  readonly tasks?: readonly TaskInput[];
};

type Tree = { readonly [key: string]: unknown };

/**
 * Resolves the complete, validated configuration of a run. Resolving the result again does not change it.
 *
 * @example
 * ```ts
 * import { resolveConfig } from "./resolve_config.ts";
 * const config = resolveConfig({ preset: "minilm", set: ["training.maxSteps=100"] });
 * config.training.maxSteps; // 100
 * ```
 */
export function resolveConfig(parts: ConfigParts = {}): RunConfig {
  const { file: given = {}, set = [], shortcuts = {}, overrides = {} } = parts;
  if (!isObject(given)) throw wrongValue(`${where}the file`, "an object", given);
  const { $schema: _, ...file } = given; // the address of the JSON Schema, for editors
  const preset = parts.preset ?? file.preset ?? "quickstart";
  let tree: Tree = merge(findPreset(preset), { ...file, preset });
  tree = merge(tree, overrides);
  for (const assignment of set) tree = applySet(tree, assignment);
  const { model, data, precision } = shortcuts;
  if (model !== undefined) tree = setKey(tree, ["model", "source"], model);
  if (data !== undefined) tree = setKey(tree, ["data", "dir"], data);
  if (precision !== undefined) tree = setKey(tree, ["precision"], precision);
  const config = derive(validate(RUN_SCHEMA, tree, { where }));
  checkTogether(config);
  return config;
}

/** The preset with a name. */
function findPreset(name: unknown): RunConfig {
  const found = Object.entries(PRESETS).find(([key]) => key === name);
  if (found === undefined) {
    throw wrongChoice(`${where}preset`, Object.keys(PRESETS), name);
  }
  return found[1];
}

/** Merges `over` into a copy of `base`: objects key by key, other values are replaced. */
function merge(base: Tree, over: Tree): Tree {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(key, isObject(below) && isObject(value) ? merge(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/** Applies one setting `key.path=value`. */
function applySet(tree: Tree, assignment: string): Tree {
  const at = assignment.indexOf("=");
  if (at < 1) {
    throw new RangeError(
      `config: --set must be like key.path=value: current value is ${JSON.stringify(assignment)}`,
    );
  }
  const path = assignment.slice(0, at);
  checkPath(tree, path);
  return setKey(tree, path.split("."), parseValue(assignment.slice(at + 1)));
}

/** Throws if a path does not exist in the tree; paths below a scalar are checked by {@link setKey}. */
function checkPath(tree: Tree, path: string): void {
  let node: unknown = tree;
  const above: string[] = [];
  for (const key of path.split(".")) {
    if (typeof node !== "object" || node === null) return;
    const known = Object.keys(node);
    if (!known.includes(key)) {
      const meant = suggestPath(path, listPaths(tree));
      throw unknownKey([...above, key].join("."), { where, known, meant });
    }
    node = { ...node as Tree }[key];
    above.push(key);
  }
}

/** Paths of all values below `node`; list items by index. */
function listPaths(node: unknown, path = ""): string[] {
  if (typeof node !== "object" || node === null) return [path];
  const below = Object.entries(node)
    .flatMap(([key, value]) => listPaths(value, path === "" ? key : `${path}.${key}`));
  return path === "" ? below : [path, ...below];
}

/** Parses JSON; other text is returned unchanged. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A copy of `tree` with `value` at `path`, which must exist; numbers in a path are indices of list items. */
function setKey(tree: Tree, path: readonly string[], value: unknown, above: string[] = []): Tree {
  const [key = "", ...rest] = path;
  const below = tree[key];
  const here = [...above, key];
  if (rest.length === 0) return { ...tree, [key]: value };
  if (Array.isArray(below)) {
    const items = setKey({ ...below }, rest, value, here);
    return { ...tree, [key]: below.map((_, i) => items[String(i)]) };
  }
  if (!isObject(below)) {
    throw new RangeError(
      `config: unknown key ${JSON.stringify([...above, ...path].join("."))}: ${
        here.join(".")
      } is a single value`,
    );
  }
  return { ...tree, [key]: setKey(below, rest, value, here) };
}

/** Computes derived values; the only place where a given value is changed. */
function derive(config: RunConfig): RunConfig {
  const { model: { maxLength }, training } = config;
  // The last padded length is always the maximum input length.
  const lengths = [...training.lengths.filter((length) => length < maxLength), maxLength];
  const tasks = config.tasks.map((task) => {
    // A split that is used for test is not used for validation; validation rows are then carved from train.
    const isShared = task.split.validation === task.split.test;
    return isShared ? { ...task, split: { ...task.split, validation: null } } : task;
  });
  return { ...config, tasks, training: { ...training, lengths } };
}
