/**
 * `deno task export`: a model as ONNX graphs.
 * @module
 */
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { exportModel } from "@/export/export_model.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { ONNX_DTYPES } from "@/model/onnx_weights.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./frame.ts";
import { openEngineFor, readEngineChoice } from "./open_engine.ts";

const OPTIONS = {
  dtype: {
    type: "string",
    choices: ONNX_DTYPES,
    help: "how weights are stored; by default each way, a file each",
  },
  out: {
    type: "string",
    value: "DIR",
    help: "a folder of its own, with tokenizer and labels; by default the model's folder",
  },
} as const satisfies Options;

/** The task `export`. */
export const EXPORT = {
  name: "export",
  summary: "Writes a model as ONNX graphs with its embedding and all heads.",
  usage: "RUN [--dtype fp32|fp16|q8] [--out DIR]",
  options: OPTIONS,
  positionals: { names: ["RUN"], min: 1, max: 1 },
  async run({ values, positionals: [source = ""] }) {
    const choice = readEngineChoice("export", []);
    await openEngineFor({ ...choice, precision: "float32" }); // first: it must hold the model's tensors
    const folder = await findModelFolder(source);
    const { model } = await openSavedModel(folder);
    const dtypes = ONNX_DTYPES.filter((dtype) =>
      values.dtype === undefined || dtype === values.dtype
    );
    const files = await exportModel(model, { folder, out: values.out ?? null, dtypes });
    for (const { path, bytes } of files) {
      console.log(`${path}  ${(bytes / 2 ** 20).toFixed(1)} MiB`);
    }
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(EXPORT);
