/**
 * Puts ONNX files into a model folder, or into a folder of their own with all that a browser needs.
 * @module
 */
import { resolve } from "node:path";
import type { SavedModel } from "@/eval/open_saved_model.ts";
import type { OnnxDtype } from "@/model/onnx_weights.ts";
import { writeSettings } from "@/model/save_model.ts";
import { saveOnnx } from "@/model/save_onnx.ts";

/** Where graphs go. */
export type ExportOptions = {
  /** The model's folder. */
  readonly folder: string;
  /** A folder for the graphs with the settings that they need; null: the model's. */
  readonly out: string | null;
  readonly dtypes: readonly OnnxDtype[];
};

/** A file that was written. */
export type ExportedFile = {
  readonly dtype: OnnxDtype;
  readonly path: string;
  readonly bytes: number;
};

/** Writes the graph of a model once for each of the kinds of weights asked for. */
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
