/**
 * `deno task encode`: sentence embeddings for lines on stdin.
 * @module
 */

import { NORMALIZE_MODES, POOLING_MODES } from "@/config.ts";
import {
  openModelFor,
  PRECISION_OPTION,
  readEngineChoice,
  readPrecision,
  SET_ENGINE,
} from "@/cli/open_engine.ts";
import { runTask } from "./frame.ts";
import { createTerminalProgress } from "./progress.ts";
import { readTexts } from "./read_lines.ts";

if (import.meta.main) {
  await runTask({
    name: "encode",
    summary: "Prints sentence embeddings for lines on stdin.",
    usage: "MODEL [--pooling MODE] [--normalize MODE] [--precision P] [--set KEY=VALUE …] [--json]",
    options: {
      pooling: {
        type: "string",
        choices: POOLING_MODES,
        help: "one vector from many tokens; by default as the model was trained",
      },
      normalize: {
        type: "string",
        choices: NORMALIZE_MODES,
        help: "length of a vector; by default as the model was trained",
      },
      precision: PRECISION_OPTION,
      set: SET_ENGINE,
      json: { type: "boolean", help: "print a JSON object a line: text and embedding" },
    },
    positionals: { names: ["MODEL"], min: 1, max: 1 },
    async run({ values, positionals: [source = ""] }) {
      const precision = readPrecision(values.precision);
      const view = createTerminalProgress();
      const { set } = values;
      const engine = { ...readEngineChoice("encode", set), precision };
      using model = await openModelFor(source, { task: "encode", engine, set, view });
      await view.finish();
      const { encode } = model.createEncoder({
        pooling: POOLING_MODES.find((mode) => mode === values.pooling),
        normalize: NORMALIZE_MODES.find((mode) => mode === values.normalize),
      });
      for await (const texts of readTexts([])) {
        for (const [i, vector] of (await encode(texts)).entries()) {
          const embedding = Array.from(vector, (x) => Number(x.toPrecision(9))); // all that float32 holds
          console.log(
            values.json ? JSON.stringify({ text: texts[i], embedding }) : embedding.join(" "),
          );
        }
      }
    },
  });
}
