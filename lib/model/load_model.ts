/**
 * Loads a model from a folder written by a run or by sentence-transformers, or from a plain BERT checkpoint.
 * @module
 */
import { join } from "node:path";
import { isFile, readJson } from "@/system/files.ts";
import { buildLinear, type Variables } from "@/model/build.ts";
import { type HeadsFile, readHeadsFile, requirePositions } from "@/model/heads_file.ts";
import { buildModel, modelSpecs } from "./initialize.ts";
import { loadEncoder } from "@/model/load_encoder.ts";
import { loadVariables, locateTensors } from "@/model/load_variables.ts";
import { linearSpecs } from "@/model/parameter_specs.ts";
import { disposeEncoder, type Encoder, type Linear, type MultiTask } from "@/model/parameters.ts";
import { openSafetensors } from "@/model/safetensors.ts";
import { readTextSettings } from "@/model/sentence_settings.ts";
import {
  type DenseModule,
  readSentenceModules,
  type SentenceModules,
} from "@/model/sentence_modules.ts";
import { openTensorFolder } from "@/model/tensor_folder.ts";

/** A model, its maximum input length, and the unused tensors of its folder. */
type LoadedModel = {
  readonly model: MultiTask;
  /** Longest input in tokens, [CLS] and [SEP] included. */
  readonly maxLength: number;
  /** Tensors that were not loaded: buffers and heads of other tasks. */
  readonly ignored: readonly string[];
};

/** The `model_max_length` of the tokenizer in `folder`; null if there is none. */
async function readTokenizerLimit(folder: string): Promise<number | null> {
  const path = join(folder, "tokenizer_config.json");
  if (!await isFile(path)) return null;
  const json = await readJson(path, "model configuration");
  const length = (json as { readonly model_max_length?: unknown } | null)?.model_max_length ?? null;
  if (length === null) return null;
  // 1e30 means no limit
  if (typeof length === "number" && Number.isInteger(length) && length > 0) return length;
  throw new RangeError(
    `Cannot load model: "model_max_length" in ${path} must be a positive integer, but is ${
      JSON.stringify(length)
    }`,
  );
}

/**
 * Length to which sentence-transformers truncates texts: its own `max_seq_length` (up to 5.x), else the tokenizer's
 * `model_max_length`; at most the encoder's number of positions.
 */
async function readMaxLength(
  folder: string,
  { encoder: { config }, modules }: ReadOptions,
): Promise<number> {
  const { maxSeqLength } = await readTextSettings(folder, modules);
  const limit = maxSeqLength ?? await readTokenizerLimit(modules?.encoderFolder ?? folder);
  return Math.min(limit ?? Infinity, config.maxPositions);
}

/** Encoder and modules of the folder, which determine its default settings. */
type ReadOptions = { readonly encoder: Encoder; readonly modules: SentenceModules | null };

/** Reads tasks and embedding settings from `heads.json`, or from the modules if there is no such file. */
async function readSettings(
  folder: string,
  { encoder, modules }: ReadOptions,
): Promise<HeadsFile> {
  const path = join(folder, "heads.json");
  if (await isFile(path)) {
    const settings = await readHeadsFile(path);
    requirePositions(encoder.config, settings.maxLength, path);
    return settings;
  }
  return {
    pooling: modules?.pooling ?? "mean",
    includePrompt: modules?.includePrompt ?? true,
    embeddingSize: modules?.projection?.output ?? null,
    normalize: modules?.normalize ?? "none",
    maxLength: await readMaxLength(folder, { encoder, modules }),
    tasks: [],
  };
}

/** Checks the size of a Dense module and loads its variables, whose names begin with `name`. */
async function loadDense(
  { folder, input, output }: DenseModule,
  { name, sizes: [wantedInput, wantedOutput] }: {
    readonly name: string;
    readonly sizes: readonly [number, number];
  },
): Promise<Variables> {
  if (input !== wantedInput || output !== wantedOutput) {
    throw new RangeError(
      `Cannot load model: ${folder} must map ${wantedInput} to ${wantedOutput} columns, but maps ${input} to ${output}`,
    );
  }
  using tensors = await openTensorFolder(folder);
  const locations = new Map(
    [...tensors.files].map(([own, file]) =>
      [own.replace(/^linear\./, `${name}.`), { file, name: own }] as const
    ),
  );
  return await loadVariables(linearSpecs(name, output, input), locations, {
    what: "dense module",
    path: tensors.path,
    definedBy: "config.json beside it",
  });
}

/** Loads the variables of the task heads. */
async function loadHeads(
  folder: string,
  { encoder, settings }: { readonly encoder: Encoder; readonly settings: HeadsFile },
): Promise<Variables> {
  const specs = modelSpecs(encoder.config, settings)
    .filter(({ name }) => name.startsWith("heads."));
  if (settings.tasks.length === 0) return new Map();
  using file = await openSafetensors(join(folder, "heads.safetensors"));
  return await loadVariables(specs, locateTensors(file), {
    what: "heads",
    path: file.path,
    definedBy: "heads.json",
  });
}

/** Replaces the encoder's pooler with the Dense module that sentence-transformers runs in its place. */
async function replacePooler(encoder: Encoder, module: DenseModule): Promise<Encoder> {
  const { hiddenSize } = encoder.config;
  const name = "pooler.dense";
  const variables = await loadDense(module, { name, sizes: [hiddenSize, hiddenSize] });
  const pooler: Linear = buildLinear(variables, name);
  encoder.pooler?.weight.dispose();
  encoder.pooler?.bias.dispose();
  return { ...encoder, pooler };
}

/**
 * Loads the model in `folder`. Without `heads.json`, it has no tasks, and its embedding is defined by the modules of
 * sentence-transformers; without modules, it is the mean over real tokens.
 */
export async function loadModel(folder: string): Promise<LoadedModel> {
  const modules = await readSentenceModules(folder);
  const loaded = await loadEncoder(modules?.encoderFolder ?? folder);
  let { encoder } = loaded;
  const made: Variables[] = [];
  try {
    if (modules !== null && modules.pooler !== null) {
      encoder = await replacePooler(encoder, modules.pooler);
    }
    const settings = await readSettings(folder, { encoder, modules });
    const { hiddenSize } = encoder.config;
    if (settings.pooling === "cls" && encoder.pooler === null) {
      throw new RangeError(
        `Cannot load model: pooling "cls" requires a pooler, but the encoder in ${folder} has none`,
      );
    }
    if (settings.embeddingSize !== null) {
      if (modules === null || modules.projection === null) {
        throw new RangeError(
          `Cannot load model: modules.json in ${folder} must list the projection to ${settings.embeddingSize} columns that heads.json requires`,
        );
      }
      made.push(
        await loadDense(modules.projection, {
          name: "projection.dense",
          sizes: [hiddenSize, settings.embeddingSize],
        }),
      );
    }
    made.push(await loadHeads(folder, { encoder, settings }));
    const variables = new Map(made.flatMap((map) => [...map]));
    const { maxLength } = settings;
    return { model: buildModel(encoder, variables, settings), maxLength, ignored: loaded.ignored };
  } catch (error) {
    disposeEncoder(encoder);
    for (const map of made) for (const variable of map.values()) variable.dispose();
    throw error;
  }
}
