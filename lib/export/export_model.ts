/**
 * Puts ONNX files into a model folder, or into a folder of their own with all that a browser needs.
 * @module
 */
import { join, resolve } from "node:path";
import { isFile, readBytes, writeFileAtomic } from "@/files.ts";
import { formatHeadsFile } from "@/model/heads_file.ts";
import type { OnnxDtype } from "@/model/onnx_weights.ts";
import { embeddingSize, type MultiTask } from "@/model/parameters.ts";
import { saveOnnx } from "@/model/save_onnx.ts";

/** What transformers.js and the demo page read beside a graph. */
const COMPANIONS = ["config.json", "tokenizer.json", "tokenizer_config.json"];

/** Where graphs go. */
export type ExportOptions = {
  /** The model's folder. */
  readonly folder: string;
  /**
   * A folder of its own for the graphs, with all that answering by them needs; null: the model's.
   */
  readonly out: string | null;
  readonly dtypes: readonly OnnxDtype[];
  /** Longest input in tokens, [CLS] and [SEP] included. */
  readonly maxLength: number;
};

/** A file that was written. */
export type ExportedFile = {
  readonly dtype: OnnxDtype;
  readonly path: string;
  readonly bytes: number;
};

/** Writes the graph of `model` once for each of the kinds of weights asked for. */
export async function exportModel(
  model: MultiTask,
  { folder, out, dtypes, maxLength }: ExportOptions,
): Promise<readonly ExportedFile[]> {
  const target = out ?? folder;
  if (resolve(target) !== resolve(folder)) {
    for (const name of COMPANIONS) {
      const path = join(folder, name);
      if (!await isFile(path)) continue;
      await writeFileAtomic(join(target, name), await readBytes(path, "model file"));
    }
    const { pooling, projection, normalize, tasks } = model;
    const size = projection === null ? null : embeddingSize(model);
    const heads = formatHeadsFile({ pooling, embeddingSize: size, normalize, maxLength, tasks });
    await writeFileAtomic(join(target, "heads.json"), heads);
  }
  const files: ExportedFile[] = [];
  for (const dtype of dtypes) files.push({ dtype, ...await saveOnnx(target, model, dtype) });
  return files;
}
