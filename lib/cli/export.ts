/**
 * `deno task export`: exports a model as ONNX graphs.
 * @module
 */
import { join } from "node:path";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { exportModel, scoreExports, storeExportRecords } from "@/export/export_model.ts";
import { writeCard } from "@/export/write_card.ts";
import { isFile, readJson } from "@/system/files.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { ONNX_DTYPES } from "@/model/onnx_weights.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import type { Options } from "./arguments.ts";
import { formatScores } from "./format_scores.ts";
import { runTask, type Task } from "./run_task.ts";
import { MODEL_NOTE } from "./model_argument.ts";
import { openEngineFor, readEngineChoice } from "./open_engine.ts";
import { createTerminalProgress } from "./terminal_progress.ts";

const OPTIONS = {
  dtype: {
    type: "string",
    choices: ONNX_DTYPES,
    byDefault: "all, one file each",
    help: "type of the weights",
  },
  out: {
    type: "string",
    value: "DIR",
    byDefault: "the model's folder",
    help: "output folder; with tokenizer and labels, it is a model for predict, encode and app",
  },
  data: {
    type: "string",
    value: "DIR",
    byDefault: "as the run was configured",
    help: "folder of the data sets (data.dir)",
  },
  quick: { type: "boolean", help: "do not evaluate the files" },
} as const satisfies Options;

/** The task `export`. */
const EXPORT = {
  name: "export",
  summary:
    "Exports a model as ONNX graphs with its sentence embedding and all heads. Graphs of a run are also " +
    "evaluated on its data sets.",
  notes: [MODEL_NOTE],
  usage: "MODEL [--dtype fp32|fp16|q8] [--out DIR] [--data DIR] [--quick]",
  options: OPTIONS,
  positionals: { names: ["MODEL"], min: 1, max: 1 },
  async run({ values, positionals: [source = ""] }) {
    const choice = readEngineChoice("export", []);
    const { threads } = await openEngineFor({ ...choice, precision: "float32" }); // before the model is opened, because the engine owns its tensors
    const view = createTerminalProgress();
    const folder = await findModelFolder(source, { view });
    await view.finish();
    const saved = await openSavedModel(folder);
    const dtypes = ONNX_DTYPES.filter((dtype) =>
      values.dtype === undefined || dtype === values.dtype
    );
    const files = await exportModel(saved, { folder, out: values.out ?? null, dtypes });
    for (const { path, bytes } of files) {
      console.log(`${path}  ${(bytes / 2 ** 20).toFixed(1)} MiB`);
    }
    const path = join(source, "config.json");
    const isRun = await isFile(join(source, "summary.json")) && await isFile(path);
    if (!isRun || values.quick) return;
    const config = resolveConfig({
      file: await readJson(path, "run to export"),
      shortcuts: { data: values.data },
    });
    const records = await scoreExports(config, saved, { files, threads, view });
    for (const [dtype, { scores }] of Object.entries(records)) {
      for (const line of formatScores(scores)) console.log(`${dtype}  ${line}`);
    }
    if (values.out !== undefined) return; // the card of the run describes the files in its own folder
    await storeExportRecords(source, records);
    console.log(`card: ${await writeCard(source)}`);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(EXPORT);
