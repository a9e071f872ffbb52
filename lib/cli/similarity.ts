/**
 * `deno task similarity`: measures how well the similarity of sentence embeddings agrees with human ratings of pairs.
 * @module
 */

import { NORMALIZE_MODES, type PoolingMode } from "@/config/config.ts";
import {
  openModelFor,
  PRECISION_OPTION,
  readEngineChoice,
  readPrecision,
  SET_ENGINE,
} from "@/cli/open_engine.ts";
import { openDataSource } from "@/data/open_source.ts";
import { readSentencePairs } from "@/data/sentence_pairs.ts";
import { findRequiredFiles } from "@/data/source.ts";
import { currentEngine } from "@/engine/engine.ts";
import { compareEmbeddings, type EmbeddingScores } from "@/eval/compare_embeddings.ts";
import type { Interval } from "@/statistics.ts";
import { SIMILARITIES } from "@/eval/embedding_similarity.ts";
import { describeEnvironment } from "@/system/environment.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { runTask } from "./run_task.ts";
import { choosePrompt, MODEL_NOTE, PROMPT_OPTIONS } from "./model_argument.ts";
import { createTerminalProgress } from "./terminal_progress.ts";

/** Order in which pooling modes are scored; the others are compared with the first. */
const POOLINGS: readonly PoolingMode[] = ["mean", "cls-token", "max", "cls"];

/** Formats a score in one line, multiplied by 100, with its paired difference from the pooling mode `reference`. */
function formatScore(
  { pooling, normalize, similarity, spearman, interval, difference }: EmbeddingScores,
  reference: PoolingMode | undefined,
): string {
  const range = (value: number, ends: Interval) => {
    const [at, from, to] = [value, ...ends].map((share) => (100 * share).toFixed(2));
    return `${at} (${from} to ${to})`;
  };
  const name = `${pooling.padEnd(9)} ${normalize.padEnd(4)} ${similarity.padEnd(9)}`;
  return `${name}  Spearman ${range(spearman, interval)}` +
    (difference === null
      ? ""
      : `; difference from ${reference} ${range(difference.value, difference.interval)}`);
}

if (import.meta.main) {
  await runTask({
    name: "similarity",
    summary:
      "Evaluates sentence embeddings on STS-B with each pooling, normalization and similarity.",
    notes: [MODEL_NOTE],
    usage: "MODEL --data DIR [--prompt-name NAME | --prompt TEXT] [--precision P] " +
      "[--set KEY=VALUE …] [--out FILE]",
    options: {
      data: { type: "string", value: "DIR", help: "folder with stsb/test.parquet" },
      ...PROMPT_OPTIONS,
      precision: PRECISION_OPTION,
      set: SET_ENGINE,
      out: { type: "string", value: "FILE", help: "also write the scores to a JSON file" },
    },
    positionals: { names: ["MODEL"], min: 1, max: 1 },
    async run({ values, positionals: [source = ""] }) {
      if (values.data === undefined) {
        throw new RangeError(
          "Cannot run similarity: --data DIR is missing; DIR must contain stsb/test.parquet",
        );
      }
      const precision = readPrecision(values.precision);
      const choice = readEngineChoice("similarity", values.set);
      const pairs = await readSentencePairs(
        await findRequiredFiles(openDataSource(values.data), { dataset: "stsb", split: "test" }),
      );
      const { set } = values;
      const engine = { ...choice, precision };
      const view = createTerminalProgress();
      using model = await openModelFor(source, { task: "similarity", engine, set, view });
      await view.finish();
      const poolings = POOLINGS.filter((mode) => model.poolings.includes(mode));
      const prompt = choosePrompt(model.settings.prompts, values);
      const scores = await compareEmbeddings(model, pairs, {
        poolings,
        normalizations: NORMALIZE_MODES,
        similarities: SIMILARITIES,
        prompt,
        view,
      });
      for (const score of scores) console.log(formatScore(score, poolings[0]));
      if (values.out !== undefined) {
        const executor = model.executor ?? currentEngine();
        if (executor === null) throw new Error("internal: there is no open engine");
        const environment = describeEnvironment(choice.device, executor);
        const base = source.split("/").at(-1) ?? source;
        const name = prompt === "" ? base : `${base}, prompt ${JSON.stringify(prompt)}`;
        const record = { model: name, dataset: "stsb test", precision, environment, scores };
        await writeFileAtomic(values.out, JSON.stringify(record, null, 1) + "\n");
      }
    },
  });
}
