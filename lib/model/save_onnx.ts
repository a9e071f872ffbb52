/**
 * Writes a model as ONNX files, with the file names that transformers.js expects in a model folder.
 * @module
 */
import { join } from "node:path";
import { serializeOnnx } from "@/engine/onnx/protobuf.ts";
import { isFile, replaceFile, writeAll } from "@/system/files.ts";
import { buildModelGraph, type GraphOptions, ONNX_VERSIONS } from "@/model/onnx_graph.ts";
import { ONNX_DTYPES, type OnnxDtype } from "@/model/onnx_weights.ts";
import { type MultiTask, namedParameters } from "@/model/parameters.ts";

/** Paths of the graphs in a model folder, as transformers.js 4 expects them. */
export const ONNX_FILES = {
  fp32: "onnx/model.onnx",
  fp16: "onnx/model_fp16.onnx",
  q8: "onnx/model_quantized.onnx",
} as const satisfies Record<OnnxDtype, string>;

/** Weight files. Any of them takes precedence over a graph. */
const WEIGHTS = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"];

/** Path of the graph in a model folder, the most precise one if there are several; null if there is none. */
export async function findGraph(folder: string): Promise<string | null> {
  for (const dtype of ONNX_DTYPES) {
    if (await isFile(join(folder, ONNX_FILES[dtype]))) return ONNX_FILES[dtype];
  }
  return null;
}

/** Like {@link findGraph}, but null if the folder holds weights. */
export async function findGraphWithoutWeights(folder: string): Promise<string | null> {
  for (const name of WEIGHTS) if (await isFile(join(folder, name))) return null;
  return await findGraph(folder);
}

/** Limit of the ONNX format. */
const MAX_BYTES = 2 ** 31 - 1;

/** Writes `model` into the folder `dir` as a graph with its embedding and all heads. Returns path and size of the file. */
export async function saveOnnx(
  dir: string,
  model: MultiTask,
  dtype: OnnxDtype,
): Promise<{ readonly path: string; readonly bytes: number }> {
  const path = join(dir, ONNX_FILES[dtype]);
  return { path, bytes: await writeOnnxFile(path, model, { dtype }) };
}

/** Writes `model` to `path` as a graph and returns the file's size in bytes. */
export async function writeOnnxFile(
  path: string,
  model: MultiTask,
  options: GraphOptions,
): Promise<number> {
  const values = new Map(
    await Promise.all(
      namedParameters(model).map(async ({ name, variable }) => {
        const data = await variable.data();
        if (data instanceof Float32Array) return [variable, data] as const;
        throw new TypeError(`internal: parameter ${name} is ${variable.dtype}, not float32`);
      }),
    ),
  );
  const parts = serializeOnnx(buildModelGraph(model, values, options), ONNX_VERSIONS);
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  if (bytes > MAX_BYTES) {
    throw new RangeError(
      `Cannot export model: an ONNX file must be smaller than 2 GiB, but would have ${bytes} bytes. Choose fp16 or q8`,
    );
  }
  await replaceFile(path, async (file) => {
    for (const part of parts) await writeAll(file, part);
  });
  return bytes;
}
