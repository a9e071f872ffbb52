/**
 * Writes ONNX files into a model's folder, or into a separate folder together with all files that a browser needs, and
 * evaluates them on the run's validation and test sets. The scores are stored in the run's `exports.json` and shown in the
 * model card.
 * @module
 */

import { join, resolve } from "node:path";
import type { SavedModel } from "@/eval/open_saved_model.ts";
import { ONNX_DTYPES, type OnnxDtype } from "@/model/onnx_weights.ts";
import { writeSettings } from "@/model/save_model.ts";
import { saveOnnx } from "@/model/save_onnx.ts";
import type { RunConfig } from "@/config/config.ts";
import { createGraphPredictor } from "@/eval/graph_model.ts";
import { openGraph, readGraph } from "@/eval/open_graph.ts";
import type { ScoresBySplit } from "@/export/score_run.ts";
import { isFile, readJson, writeFileAtomic } from "@/system/files.ts";
import { findTask } from "@/model/multi_task.ts";
import { embeddingSize } from "@/model/parameters.ts";
import type { ProgressView } from "@/progress.ts";
import { readScores } from "@/report/readers/read_scores.ts";
import { at, readNumber, readObject, readRecord } from "@/report/readers/shape.ts";
import { resolvePrompt } from "@/text/prompts.ts";
import { createRunEvaluator } from "@/train/evaluate_run.ts";
import { encodeEvaluation, type EvaluationTask, loadRunRows } from "@/train/run_data.ts";

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

/** Size and scores of an exported file. */
type ExportRecord = { readonly bytes: number; readonly scores: ScoresBySplit };

/** Records by weight type. */
export type ExportRecords = Partial<Record<OnnxDtype, ExportRecord>>;

const FILE = "exports.json";

/** Evaluates each of `files` on all validation and test splits of the run's tasks. */
export async function scoreExports(
  config: RunConfig,
  saved: SavedModel,
  { files, threads, view }: {
    readonly files: readonly ExportedFile[];
    readonly threads: number;
    readonly view: ProgressView;
  },
): Promise<ExportRecords> {
  const { model, tokenizer, maxLength, prompts } = saved;
  const prompt = resolvePrompt(prompts);
  const tasks: EvaluationTask[] = [];
  for (const task of await loadRunRows(config)) {
    tasks.push(await encodeEvaluation(task, { tokenizer, maxLength, prompt }));
  }
  const records: ExportRecords = {};
  for (const { dtype, path, bytes } of files) {
    using graph = openGraph(await readGraph(path), {
      hidden: model.encoder.config.hiddenSize,
      size: embeddingSize(model),
      tasks: model.tasks,
      threads,
    });
    const evaluator = createRunEvaluator(tasks, {
      predictorOf: (name) => createGraphPredictor(graph.runGraph, findTask(model, name)),
      view: {
        update: (progress) => view.update({ ...progress, label: `${dtype}: ${progress.label}` }),
        finish: () => view.finish(),
      },
    });
    const validation = await evaluator.evaluate("validation"); // first, because it fits the temperatures
    const tests = await evaluator.evaluateTests();
    const scores = Object.fromEntries(
      Object.entries(tests).map(([task, splits]) => {
        const own = validation[task];
        return [task, { ...(own && { validation: own }), ...splits }];
      }),
    );
    records[dtype] = { bytes, scores };
  }
  await view.finish();
  return records;
}

/** Adds `records` to those stored in the run's folder, replacing older ones of the same weight type. */
export async function storeExportRecords(run: string, records: ExportRecords): Promise<void> {
  const kept = { ...await readExportRecords(run), ...records };
  await writeFileAtomic(join(run, FILE), `${JSON.stringify(kept, null, 2)}\n`);
}

/** Reads the stored records of exported files; empty if no file was evaluated. */
export async function readExportRecords(run: string): Promise<ExportRecords> {
  const file = join(run, FILE);
  if (!await isFile(file)) return {};
  const place = { file, key: "" };
  const json = readObject(await readJson(file, "scores of exported files"), place);
  const records: ExportRecords = {};
  for (const dtype of ONNX_DTYPES) {
    if (json[dtype] === undefined) continue;
    const own = at(place, dtype), record = readObject(json[dtype], own);
    records[dtype] = {
      bytes: readNumber(record.bytes, at(own, "bytes")),
      scores: readRecord(
        record.scores,
        at(own, "scores"),
        (splits, place) => readRecord(splits, place, readScores),
      ),
    };
  }
  return records;
}
