/**
 * How sentence-transformers (5.1 and 6.2) writes down what follows an encoder: `modules.json` lists
 * Transformer, Pooling, Dense and Normalize modules, each with a folder of its own.
 *
 * Our pooling `cls` is its CLS pooling and a Dense with tanh that holds the pooler; our projection is
 * a Dense without activation. It has no L1 norm: `heads.json` alone says so.
 * @module
 */
import { join } from "node:path";
import { isFile, readJson } from "@/files.ts";
import type { NormalizeMode, PoolingMode } from "@/config.ts";

/** A Dense module: one linear layer. */
export type DenseModule = {
  /** Its folder. */
  readonly folder: string;
  readonly input: number;
  readonly output: number;
  readonly activation: "tanh" | "none";
};

/** What a folder's modules amount to. */
export type SentenceModules = {
  /** Where the encoder lies: the folder itself, or one in it. */
  readonly encoderFolder: string;
  readonly pooling: PoolingMode;
  /** False: the Pooling module skips [CLS] and the tokens of the prompt. */
  readonly includePrompt: boolean;
  /** The pooler of `cls`; null for the other modes. */
  readonly pooler: DenseModule | null;
  readonly projection: DenseModule | null;
  readonly normalize: NormalizeMode;
};

type JsonObject = { readonly [key: string]: unknown };

/** A JSON file that must hold an object. */
async function readObject(path: string, what: string): Promise<JsonObject> {
  const json = await readJson(path, what);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw new RangeError(`Cannot read ${what} as ${path} must hold a JSON object`);
}

/** One line of `modules.json`. */
type ModuleEntry = { readonly kind: string; readonly folder: string };

/** Modules that are supported. */
const KINDS = ["Transformer", "Pooling", "Dense", "Normalize"];

/**
 * Kinds (last part of the Python class) and folders, in order.
 *
 * @throws {RangeError} naming a module that is not supported
 */
async function readModuleList(folder: string): Promise<readonly ModuleEntry[]> {
  const path = join(folder, "modules.json");
  const json = await readJson(path, "modules");
  if (!Array.isArray(json)) throw new RangeError(`Cannot read modules as ${path} must be a list`);
  return json.map((entry: unknown) => {
    const { type, path: place } = (entry ?? {}) as JsonObject;
    if (
      typeof type !== "string" || typeof place !== "string" || !/^(?!\.\.?$)[\w.-]*$/.test(place)
    ) {
      throw new RangeError(
        `Cannot read modules as ${path} must give each a type and a folder in it: current value is ${
          JSON.stringify(entry)
        }`,
      );
    }
    if (!type.startsWith("sentence_transformers.")) {
      throw new RangeError(
        `Cannot load model: ${path} lists ${type}, code of its own that is not run here; only modules ` +
          "of sentence_transformers are supported",
      );
    }
    const kind = type.slice(type.lastIndexOf(".") + 1);
    if (KINDS.includes(kind)) return { kind, folder: join(folder, place) };
    throw new RangeError(
      `Cannot load model as ${path} lists the module ${kind}, which is not supported: modules must be ${
        KINDS.join(", ")
      }`,
    );
  });
}

/** Its pooling modes by our names; others are not supported. */
const POOLINGS: { readonly [name: string]: PoolingMode } = {
  cls: "cls-token",
  pooling_mode_cls_token: "cls-token",
  max: "max",
  pooling_mode_max_tokens: "max",
  mean: "mean",
  pooling_mode_mean_tokens: "mean",
};

/**
 * A Pooling module: `pooling_mode` (6.x) or one of the switches `pooling_mode_…` set, the mean where
 * neither is.
 */
async function readPooling(
  folder: string,
): Promise<Pick<SentenceModules, "pooling" | "includePrompt">> {
  const path = join(folder, "config.json");
  const config = await readObject(path, "pooling configuration");
  const switches = Object.keys(config).filter((key) =>
    key.startsWith("pooling_mode_") && config[key] === true
  );
  const named = config.pooling_mode ?? (switches.length === 0 ? "mean" : switches);
  const modes = Array.isArray(named) ? named : [named];
  const mode = modes.length === 1 && Object.hasOwn(POOLINGS, String(modes[0]))
    ? POOLINGS[String(modes[0])]
    : undefined;
  if (mode === undefined) {
    throw new RangeError(
      `Cannot load model as ${path} must pool by one of mean, max, cls: current value is ${
        modes.join(" and ") || "none"
      }`,
    );
  }
  const { include_prompt: includePrompt = true } = config;
  if (typeof includePrompt !== "boolean") {
    throw new RangeError(
      `Cannot load model as "include_prompt" in ${path} must be true or false: current value is ${
        JSON.stringify(includePrompt)
      }`,
    );
  }
  return { pooling: mode, includePrompt };
}

const ACTIVATIONS: { readonly [name: string]: DenseModule["activation"] } = {
  Tanh: "tanh",
  Identity: "none",
};

/** Refuses a module that reads or writes anything but the sentence embedding. */
function checkPlace(config: JsonObject, path: string): void {
  for (const key of ["module_input_name", "module_output_name"]) {
    const value = config[key] ?? "sentence_embedding";
    if (value === "sentence_embedding") continue;
    throw new RangeError(
      `Cannot load model as "${key}" in ${path} must be "sentence_embedding": current value is ${
        JSON.stringify(value)
      }`,
    );
  }
}

/** The shape of a Dense module. */
async function readDense(folder: string): Promise<DenseModule> {
  const path = join(folder, "config.json");
  const config = await readObject(path, "dense configuration");
  checkPlace(config, path);
  const fail = (key: string, wanted: string): never => {
    throw new RangeError(
      `Cannot load model as "${key}" in ${path} must be ${wanted}: current value is ${
        JSON.stringify(config[key]) ?? "missing"
      }`,
    );
  };
  const size = (key: string): number => {
    const value = config[key];
    return typeof value === "number" && Number.isInteger(value) && value > 0
      ? value
      : fail(key, "a whole number from 1");
  };
  const name = String(config.activation_function ?? "Tanh").split(".").at(-1) ?? "";
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (config.bias === false) fail("bias", "true");
  if (config.use_residual === true) fail("use_residual", "false");
  return {
    folder,
    input: size("in_features"),
    output: size("out_features"),
    activation: activation ?? fail("activation_function", "Tanh or Identity of torch.nn"),
  };
}

/** A Normalize module; versions before 5.x wrote no configuration. */
async function checkNormalize(folder: string): Promise<void> {
  const path = join(folder, "config.json");
  if (await isFile(path)) checkPlace(await readObject(path, "normalize configuration"), path);
}

/**
 * What `modules.json` in `folder` amounts to; null where there is none.
 *
 * @throws {RangeError} when it is more than pooling, projection and L2 norm
 */
export async function readSentenceModules(folder: string): Promise<SentenceModules | null> {
  const path = join(folder, "modules.json");
  if (!await isFile(path)) return null;
  const list = await readModuleList(folder);
  const kinds = list.map(({ kind }) => kind).join(", ");
  const unsupported = (wanted: string): never => {
    throw new RangeError(
      `Cannot load model as ${path} must list ${wanted}: current list is ${kinds}`,
    );
  };
  const [encoder, pooling] = list;
  if (
    encoder === undefined || pooling === undefined ||
    !/^Transformer, Pooling(, Dense){0,2}(, Normalize)?$/.test(kinds)
  ) {
    return unsupported("Transformer, Pooling, up to two Dense, Normalize");
  }
  const dense: DenseModule[] = [];
  for (const { kind, folder } of list) if (kind === "Dense") dense.push(await readDense(folder));
  const { pooling: mode, includePrompt } = await readPooling(pooling.folder);
  const last = list.at(-1);
  if (last?.kind === "Normalize") await checkNormalize(last.folder);
  const pooler = mode === "cls-token" && dense[0]?.activation === "tanh" ? dense[0] : null;
  const [projection = null, ...others] = dense.slice(pooler === null ? 0 : 1);
  if (others.length > 0 || (projection !== null && projection.activation !== "none")) {
    return unsupported("one Dense without activation at most, and one with Tanh after CLS pooling");
  }
  return {
    encoderFolder: encoder.folder,
    pooling: pooler === null ? mode : "cls",
    includePrompt,
    pooler,
    projection,
    normalize: kinds.endsWith("Normalize") ? "l2" : "none",
  };
}
