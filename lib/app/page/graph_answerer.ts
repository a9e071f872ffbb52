/**
 * Answers computed from an exported graph, a text at a time: what the server answers, to the error of
 * eight-bit weights. Texts are not padded, as the scale of eight-bit activations is one for a whole batch.
 * Shapes: T pieces, C labels, E embedding.
 * @module
 */
import type { EncodeAnswer, ModelInfo, PredictAnswer } from "@/app/contract.ts";
import { normalizeVector } from "@/eval/normalize_vector.ts";
import { softmaxRowsInto } from "@/eval/probabilities.ts";
import { createTextReader } from "@/eval/read_texts.ts";
import { embeddingName, logitsName } from "@/model/onnx_names.ts";
import { encodeRows } from "@/text/encode_rows.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import type { EncodeWish } from "./answerer.ts";

/** Computes one output of a graph for the pieces [T] of one text. */
export type RunGraph = (ids: Int32Array, output: string) => Promise<Float32Array>;

/** Who computes, and with what. */
export type GraphOptions = {
  readonly info: ModelInfo;
  readonly tokenizer: Tokenizer;
  readonly runGraph: RunGraph;
  readonly nowMs: () => number;
};

/** Answers of a graph. */
export type GraphAnswerer = {
  predict(texts: readonly string[]): Promise<PredictAnswer>;
  encode(texts: readonly string[], wish: EncodeWish): Promise<EncodeAnswer>;
};

/** Answers over a graph that has an output for each of the model's poolings. */
export function createGraphAnswerer(
  { info, tokenizer, runGraph, nowMs }: GraphOptions,
): GraphAnswerer {
  const { maxLength } = info;
  const tasks = info.tasks.map((task) => ({
    task,
    predictor: {
      async predict(examples: readonly { readonly ids: Int32Array }[]) {
        const found: Float32Array[] = [];
        for (const { ids } of examples) {
          const scores = await runGraph(ids, logitsName(task.name)); // [C] or [T, C]
          softmaxRowsInto(scores, task.labels.length);
          found.push(scores);
        }
        return found;
      },
    },
  }));
  const reader = createTextReader(tasks, { tokenizer, maxLength });
  return {
    async predict(texts) {
      const startMs = nowMs();
      const predictions = await reader.predict(texts);
      return { predictions, tookMs: nowMs() - startMs };
    },
    async encode(texts, wish) {
      const startMs = nowMs();
      const pooling = wish.pooling ?? info.pooling, normalize = wish.normalize ?? info.normalize;
      const rows = texts.map((text) => ({ text, label: 0 }));
      const kind = "classification", windows = "cut";
      const embeddings: number[][] = [];
      for (const { ids } of encodeRows(rows, { tokenizer, kind, maxLength, windows }).examples) {
        const pooled = await runGraph(ids, embeddingName(pooling)); // [E]
        embeddings.push([...normalizeVector(pooled, normalize)]);
      }
      return { pooling, normalize, embeddings, tookMs: nowMs() - startMs };
    },
  };
}
