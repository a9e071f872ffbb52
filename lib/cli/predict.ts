/**
 * `deno task predict`: predicts labels and entities of texts.
 * @module
 */

import { openModelFor, readEngineChoice, SET_ENGINE } from "@/cli/open_engine.ts";
import { convertOffsets, OFFSET_UNITS, OFFSETS_NOTE } from "@/eval/offsets.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./run_task.ts";
import { chooseModel, DEFAULT_MODEL_NOTE } from "./model_argument.ts";
import { explainKeyboard, printLines, readTexts, TEXTS_NOTE } from "./text_lines.ts";
import { createTerminalProgress } from "./terminal_progress.ts";

const OPTIONS = {
  offsets: {
    type: "string",
    choices: OFFSET_UNITS,
    default: "utf16",
    help: "unit of entity offsets",
  },
  set: SET_ENGINE,
  json: {
    type: "boolean",
    help: "print one JSON object per line, with text, labels and entities by task",
  },
} as const satisfies Options;

/** Formats a prediction: the text, then one line per label and entity. */
function formatPrediction({ text, labels, entities }: TextPrediction): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    text,
    ...Object.entries(labels).map(([task, { label, probability }]) =>
      `  ${task}  ${label}  ${percent(probability)}`
    ),
    ...Object.entries(entities).flatMap(([task, found]) =>
      found.map(({ type, text, start, end, probability }) =>
        `  ${task}  ${type}  ${start}-${end}  ${text}  ${percent(probability)}`
      )
    ),
  ].join("\n");
}

/** The task `predict`. */
const PREDICT = {
  name: "predict",
  summary: "Predicts labels and entities of texts.",
  usage: "[MODEL [TEXT …]] [--offsets UNIT] [--set KEY=VALUE …] [--json]",
  notes: [DEFAULT_MODEL_NOTE, TEXTS_NOTE, OFFSETS_NOTE],
  options: OPTIONS,
  positionals: { names: ["MODEL", "TEXT"], min: 0, max: Infinity },
  async run({ values, positionals: [given, ...texts] }) {
    const { set } = values;
    const engine = { ...readEngineChoice("predict", set), precision: "float32" } as const;
    const source = await chooseModel("predict", given);
    explainKeyboard("predict", texts);
    const view = createTerminalProgress();
    using model = await openModelFor(source, { task: "predict", engine, set, view });
    await view.finish();
    const predictor = model.createPredictor({ rows: Math.min(16, texts.length || 16) });
    const unit = OFFSET_UNITS.find((each) => each === values.offsets) ?? "utf16";
    for await (const chunk of readTexts(texts)) {
      const predictions = (await predictor.predict(chunk)).map((each) =>
        convertOffsets(each, unit)
      );
      const format = values.json
        ? (each: TextPrediction) => JSON.stringify(each)
        : formatPrediction;
      if (!printLines(predictions.map(format))) return;
    }
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(PREDICT);
