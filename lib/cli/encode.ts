/**
 * `deno task encode`: computes sentence embeddings and prints them or writes them to a file.
 * @module
 */

import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import {
  openModelFor,
  PRECISION_OPTION,
  readEngineChoice,
  readPrecision,
  SET_ENGINE,
} from "@/cli/open_engine.ts";
import { findVectorFormat, VECTOR_FORMATS, writeVectors } from "@/data/write_vectors.ts";
import type { SentenceEncoder } from "@/eval/encode_texts.ts";
import type { ProgressView } from "@/progress.ts";
import type { Options, OptionValues } from "./arguments.ts";
import { runTask, type Task } from "./run_task.ts";
import { chooseModel, choosePrompt, DEFAULT_MODEL_NOTE, PROMPT_OPTIONS } from "./model_argument.ts";
import { explainKeyboard, printLines, readTexts, TEXTS_NOTE } from "./text_lines.ts";
import { createTerminalProgress } from "./terminal_progress.ts";

const OPTIONS = {
  pooling: {
    type: "string",
    choices: POOLING_MODES,
    byDefault: "as the model was trained",
    help: "pooling of the token vectors",
  },
  normalize: {
    type: "string",
    choices: NORMALIZE_MODES,
    byDefault: "as the model was trained",
    help: "norm to which embeddings are normalized",
  },
  ...PROMPT_OPTIONS,
  precision: PRECISION_OPTION,
  set: SET_ENGINE,
  output: {
    type: "string",
    value: "FILE",
    help: `write the embeddings to a file instead of printing them: ${
      Object.entries(VECTOR_FORMATS).map(([extension, what]) => `${extension} ${what}`).join(", ")
    }`,
  },
  json: { type: "boolean", help: "print one JSON object per line, with text and embedding" },
} as const satisfies Options;

/** Number of texts per progress update. */
const CHUNK = 1024;

/** Throws if --output cannot be used; called before a model is opened. */
function checkOutput({ output, json }: OptionValues<typeof OPTIONS>): void {
  if (output === undefined) return;
  findVectorFormat(output);
  if (json) throw new RangeError("Cannot run encode: --json and --output cannot be combined");
}

/** Encodes all texts in chunks. */
async function* encodeAll(
  texts: readonly string[],
  { encode }: SentenceEncoder,
  view: ProgressView,
): AsyncGenerator<readonly Float32Array[]> {
  for (let first = 0; first < texts.length; first += CHUNK) {
    const vectors = await encode(texts.slice(first, first + CHUNK));
    view.update({ label: "encode", done: first + vectors.length, total: texts.length });
    yield vectors;
  }
}

/** Prints one embedding per line, until all texts are encoded or the reader of the pipe has closed it. */
async function printEmbeddings(
  texts: readonly string[],
  { encode }: SentenceEncoder,
  json: boolean,
): Promise<void> {
  for await (const chunk of readTexts(texts)) {
    const lines = (await encode(chunk)).map((vector, i) => {
      const embedding = Array.from(vector, (x) => Number(x.toPrecision(9))); // nine digits restore a float32 exactly
      return json ? JSON.stringify({ text: chunk[i], embedding }) : embedding.join(" ");
    });
    if (!printLines(lines)) return;
  }
}

/** The task `encode`. */
const ENCODE = {
  name: "encode",
  summary: "Computes sentence embeddings of texts.",
  usage:
    "[MODEL [TEXT …]] [--pooling MODE] [--normalize MODE] [--prompt-name NAME | --prompt TEXT] " +
    "[--precision P] [--set KEY=VALUE …] [--output FILE] [--json]",
  notes: [DEFAULT_MODEL_NOTE, TEXTS_NOTE],
  options: OPTIONS,
  positionals: { names: ["MODEL", "TEXT"], min: 0, max: Infinity },
  async run({ values, positionals: [given, ...texts] }) {
    checkOutput(values);
    const { set, output } = values;
    const engine = {
      ...readEngineChoice("encode", set),
      precision: readPrecision(values.precision),
    };
    const source = await chooseModel("encode", given);
    explainKeyboard("encode", texts);
    const view = createTerminalProgress();
    using model = await openModelFor(source, { task: "encode", engine, set, view });
    await view.finish();
    const encoder = model.createEncoder({
      pooling: POOLING_MODES.find((mode) => mode === values.pooling),
      normalize: NORMALIZE_MODES.find((mode) => mode === values.normalize),
      prompt: choosePrompt(model.settings.prompts, values),
    });
    if (output === undefined) return await printEmbeddings(texts, encoder, values.json);
    const all = (await Array.fromAsync(readTexts(texts))).flat();
    const width = (await encoder.encode([all[0] ?? ""]))[0]?.length ?? 0;
    await writeVectors(output, { texts: all, width, chunks: encodeAll(all, encoder, view) });
    await view.finish();
    console.log(`${output}: ${all.length} embeddings of ${width} dimensions`);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(ENCODE);
