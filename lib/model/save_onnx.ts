/**
 * Writes a model as ONNX files, under the names by which transformers.js finds them in a model folder.
 * @module
 */
import { join } from "node:path";
import { serializeOnnx } from "@/engine/onnx/protobuf.ts";
import { isFile, replaceFile, writeAll } from "@/files.ts";
import { type GraphOptions, ONNX_VERSIONS, printModelGraph } from "@/model/onnx_graph.ts";
import { ONNX_DTYPES, type OnnxDtype } from "@/model/onnx_weights.ts";
import { type MultiTask, namedParameters } from "@/model/parameters.ts";

/** Where transformers.js 4 looks for each kind of weights in a model folder. */
export const ONNX_FILES = {
  fp32: "onnx/model.onnx",
  fp16: "onnx/model_fp16.onnx",
  q8: "onnx/model_quantized.onnx",
} as const satisfies Record<OnnxDtype, string>;

/** Files of weights, any of which goes before a graph. */
const WEIGHTS = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"];

/** The graph of a model folder that holds no weights, the most exact where there are several; else null. */
export async function findLoneGraph(folder: string): Promise<string | null> {
  for (const name of WEIGHTS) if (await isFile(join(folder, name))) return null;
  for (const dtype of ONNX_DTYPES) {
    if (await isFile(join(folder, ONNX_FILES[dtype]))) return ONNX_FILES[dtype];
  }
  return null;
}

/** The layout of ONNX cannot be longer. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * Writes `model` into the folder `dir` as one graph with its embedding and all heads; gives the file's
 * path and size.
 */
export async function saveOnnx(
  dir: string,
  model: MultiTask,
  dtype: OnnxDtype,
): Promise<{ readonly path: string; readonly bytes: number }> {
  const path = join(dir, ONNX_FILES[dtype]);
  return { path, bytes: await writeOnnxFile(path, model, { dtype }) };
}

/** Writes `model` to `path` as a graph; gives the file's size. */
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
  const parts = serializeOnnx(printModelGraph(model, values, options), ONNX_VERSIONS);
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  if (bytes > MOST_BYTES) {
    throw new RangeError(
      `Cannot export model as an ONNX file must be smaller than 2 GiB: it would be ${bytes} bytes; choose fp16 or q8`,
    );
  }
  await replaceFile(path, async (file) => {
    for (const part of parts) await writeAll(file, part);
  });
  return bytes;
}
