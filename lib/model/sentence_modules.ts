/**
 * Reads the modules that sentence-transformers (5.1 and 6.2) applies after an encoder. `modules.json` lists
 * Transformer, Pooling, Dense and Normalize modules, each with its own folder.
 *
 * The pooling mode `cls` corresponds to CLS pooling and a Dense module with tanh, which holds the pooler. A projection
 * corresponds to a Dense module without activation. There is no module for an L1 norm, which only `heads.json` has.
 * @module
 */
import { join } from "node:path";
import { isFile, readJson } from "@/system/files.ts";
import type { NormalizeMode, PoolingMode } from "@/config/config.ts";

/** A Dense module: one linear layer. */
export type DenseModule = {
  /** Path of its folder. */
  readonly folder: string;
  readonly input: number;
  readonly output: number;
  readonly activation: "tanh" | "none";
};

/** The model settings that a folder's modules define. */
export type SentenceModules = {
  /** Path of the encoder: the model folder itself, or a subfolder. */
  readonly encoderFolder: string;
  readonly pooling: PoolingMode;
  /** If false, pooling skips [CLS] and the tokens of the prompt. */
  readonly includePrompt: boolean;
  /** The pooler of mode `cls`; null for other modes. */
  readonly pooler: DenseModule | null;
  readonly projection: DenseModule | null;
  readonly normalize: NormalizeMode;
};

type JsonObject = { readonly [key: string]: unknown };

/** Reads a JSON file that must contain an object. */
async function readObject(path: string, what: string): Promise<JsonObject> {
  const json = await readJson(path, what);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw new RangeError(`Cannot read ${what}: ${path} must contain a JSON object`);
}

/** One entry of `modules.json`. */
type ModuleEntry = { readonly kind: string; readonly folder: string };

/** Supported modules. */
const KINDS = ["Transformer", "Pooling", "Dense", "Normalize"];

/**
 * Reads the modules in order. `kind` is the last part of the Python class.
 *
 * @throws {RangeError} if a module is not supported
 */
async function readModuleList(folder: string): Promise<readonly ModuleEntry[]> {
  const path = join(folder, "modules.json");
  const json = await readJson(path, "modules");
  if (!Array.isArray(json)) {
    throw new RangeError(`Cannot read modules: ${path} must contain a list`);
  }
  return json.map((entry: unknown) => {
    const { type, path: place } = (entry ?? {}) as JsonObject;
    if (
      typeof type !== "string" || typeof place !== "string" || !/^(?!\.\.?$)[\w.-]*$/.test(place)
    ) {
      throw new RangeError(
        `Cannot read modules: ${path} must give each module a type and a folder inside the model folder, but has ${
          JSON.stringify(entry)
        }`,
      );
    }
    if (!type.startsWith("sentence_transformers.")) {
      throw new RangeError(
        `Cannot load model: ${path} lists ${type}, custom code that is not executed here. Only modules ` +
          "of sentence_transformers are supported",
      );
    }
    const kind = type.slice(type.lastIndexOf(".") + 1);
    if (KINDS.includes(kind)) return { kind, folder: join(folder, place) };
    throw new RangeError(
      `Cannot load model: ${path} lists the unsupported module ${kind}. Supported modules are ${
        KINDS.join(", ")
      }`,
    );
  });
}

/** Supported pooling modes of sentence-transformers, and their names here. */
const POOLINGS: { readonly [name: string]: PoolingMode } = {
  cls: "cls-token",
  pooling_mode_cls_token: "cls-token",
  max: "max",
  pooling_mode_max_tokens: "max",
  mean: "mean",
  pooling_mode_mean_tokens: "mean",
};

/**
 * Reads a Pooling module. Its mode is given by `pooling_mode` (6.x) or by the one `pooling_mode_…` key that is true;
 * the default is the mean.
 */
async function readPooling(
  folder: string,
): Promise<Pick<SentenceModules, "pooling" | "includePrompt">> {
  const path = join(folder, "config.json");
  const config = await readObject(path, "pooling configuration");
  const switches = Object.keys(config).filter((key) =>
    key.startsWith("pooling_mode_") && Boolean(config[key]) // 1 counts as true, as in Python
  );
  const named = config.pooling_mode ?? (switches.length === 0 ? "mean" : switches);
  const modes = Array.isArray(named) ? named : [named];
  const mode = modes.length === 1 && Object.hasOwn(POOLINGS, String(modes[0]))
    ? POOLINGS[String(modes[0])]
    : undefined;
  if (mode === undefined) {
    throw new RangeError(
      `Cannot load model: ${path} must set one pooling mode of mean, max, cls, but sets ${
        modes.join(" and ") || "none"
      }`,
    );
  }
  const { include_prompt: includePrompt = true } = config;
  if (typeof includePrompt !== "boolean") {
    throw new RangeError(
      `Cannot load model: "include_prompt" in ${path} must be true or false, but is ${
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

/** Throws if a module reads or writes anything but the sentence embedding. */
function requireSentenceEmbedding(config: JsonObject, path: string): void {
  for (const key of ["module_input_name", "module_output_name"]) {
    const value = config[key] ?? "sentence_embedding";
    if (value === "sentence_embedding") continue;
    throw new RangeError(
      `Cannot load model: "${key}" in ${path} must be "sentence_embedding", but is ${
        JSON.stringify(value)
      }`,
    );
  }
}

/** Reads sizes and activation of a Dense module. */
async function readDense(folder: string): Promise<DenseModule> {
  const path = join(folder, "config.json");
  const config = await readObject(path, "dense configuration");
  requireSentenceEmbedding(config, path);
  const fail = (key: string, wanted: string): never => {
    throw new RangeError(
      `Cannot load model: "${key}" in ${path} must be ${wanted}, but is ${
        JSON.stringify(config[key]) ?? "missing"
      }`,
    );
  };
  const size = (key: string): number => {
    const value = config[key];
    return typeof value === "number" && Number.isInteger(value) && value > 0
      ? value
      : fail(key, "a positive integer");
  };
  const name = String(config.activation_function ?? "Tanh").split(".").at(-1) ?? "";
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (config.bias === false) fail("bias", "true");
  if (config.use_residual === true) fail("use_residual", "false");
  return {
    folder,
    input: size("in_features"),
    output: size("out_features"),
    activation: activation ?? fail("activation_function", "Tanh or Identity from torch.nn"),
  };
}

/** Checks a Normalize module. Versions before 5.x wrote no configuration for it. */
async function checkNormalize(folder: string): Promise<void> {
  const path = join(folder, "config.json");
  if (await isFile(path)) {
    requireSentenceEmbedding(await readObject(path, "normalize configuration"), path);
  }
}

/**
 * Reads the settings that `modules.json` in `folder` defines; null if there is no such file.
 *
 * @throws {RangeError} if it defines more than pooling, projection and L2 norm
 */
export async function readSentenceModules(folder: string): Promise<SentenceModules | null> {
  const path = join(folder, "modules.json");
  if (!await isFile(path)) return null;
  const list = await readModuleList(folder);
  const kinds = list.map(({ kind }) => kind).join(", ");
  const unsupported = (wanted: string): never => {
    throw new RangeError(
      `Cannot load model: ${path} must list ${wanted}, but lists ${kinds}`,
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
    return unsupported("at most one Dense without activation, and one with Tanh after CLS pooling");
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
