/**
 * Writes ONNX files into a model's folder, or into a separate folder together with all files that a browser needs.
 * @module
 */
import { resolve } from "node:path";
import type { SavedModel } from "@/eval/open_saved_model.ts";
import type { OnnxDtype } from "@/model/onnx_weights.ts";
import { writeSettings } from "@/model/save_model.ts";
import { saveOnnx } from "@/model/save_onnx.ts";

/** Options of {@link exportModel}. */
export type ExportOptions = {
  /** Folder of the model. */
  readonly folder: string;
  /** Folder for the graphs and the settings that they need; null for the model's folder. */
  readonly out: string | null;
  /** Types of weights; each is written as a graph of its own. */
  readonly dtypes: readonly OnnxDtype[];
};

/** Written file. */
export type ExportedFile = {
  /** Type of the weights. */
  readonly dtype: OnnxDtype;
  /** Path of the graph. */
  readonly path: string;
  /** File size in bytes. */
  readonly bytes: number;
};

/** Writes the graph of a model once per requested weight type. */
export async function exportModel(
  saved: SavedModel,
  { folder, out, dtypes }: ExportOptions,
): Promise<readonly ExportedFile[]> {
  const target = out ?? folder;
  if (resolve(target) !== resolve(folder)) await writeSettings(target, saved.model, saved);
  const files: ExportedFile[] = [];
  for (const dtype of dtypes) files.push({ dtype, ...await saveOnnx(target, saved.model, dtype) });
  return files;
}
