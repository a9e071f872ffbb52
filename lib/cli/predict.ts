/**
 * `deno task predict`: topic and entities of texts, by the model of a run.
 * @module
 */

import { openModelFor, readEngineChoice, SET_ENGINE } from "@/cli/open_engine.ts";
import type { TextPrediction } from "@/eval/read_texts.ts";
import { runTask } from "./frame.ts";
import { createTerminalProgress } from "./progress.ts";
import { readTexts } from "./read_lines.ts";

/** A prediction for people: the text, then a line for each class and each entity. */
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

if (import.meta.main) {
  await runTask({
    name: "predict",
    summary: "Predicts topic and entities of texts, given as arguments or as lines on stdin.",
    usage: "RUN [TEXT …] [--set KEY=VALUE …] [--json]",
    options: {
      set: SET_ENGINE,
      json: {
        type: "boolean",
        help: "print a JSON object a line: text, labels and entities by task",
      },
    },
    positionals: { names: ["RUN", "TEXT"], min: 1, max: Infinity },
    async run({ values, positionals: [source = "", ...given] }) {
      const view = createTerminalProgress();
      const { set } = values;
      const engine = { ...readEngineChoice("predict", set), precision: "float32" } as const;
      using model = await openModelFor(source, { task: "predict", engine, set, view });
      await view.finish();
      const predictor = model.createPredictor({ rows: Math.min(16, given.length || 16) });
      for await (const texts of readTexts(given)) {
        for (const prediction of await predictor.predict(texts)) {
          console.log(values.json ? JSON.stringify(prediction) : formatPrediction(prediction));
        }
      }
    },
  });
}
