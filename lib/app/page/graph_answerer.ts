/**
 * Answers computed from an exported graph, a text at a time: what the server answers, to the error of
 * eight-bit weights.
 * @module
 */
import type { EncodeAnswer, ModelInfo, PredictAnswer } from "@/app/contract.ts";
import { createGraphTextPredictor, readEmbedding, type RunGraph } from "@/eval/graph_model.ts";
import { encodeRows } from "@/text/encode_rows.ts";
import { findPoolingStart, resolvePrompt } from "@/text/prompts.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import type { EncodeWish } from "./answerer.ts";

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

/** Answers over a graph that gives an embedding for each of the model's poolings. */
export function createGraphAnswerer(
  { info, tokenizer, runGraph, nowMs }: GraphOptions,
): GraphAnswerer {
  const { maxLength, tasks, pooling, normalize, defaultPromptName: promptName } = info;
  const prompt = resolvePrompt(info);
  const encoding = { tokenizer, maxLength, prompt };
  const reader = createGraphTextPredictor(runGraph, { tasks, ...encoding });
  const poolingStart = findPoolingStart(info, prompt, { tokenizer, maxLength });
  const settings = { pooling, normalize, embeddingSize: null, poolingStart };
  return {
    async predict(texts) {
      const startMs = nowMs();
      const predictions = await reader.predict(texts);
      return { predictions, tookMs: nowMs() - startMs };
    },
    async encode(texts, wish) {
      const startMs = nowMs();
      const choice = {
        pooling: wish.pooling ?? pooling,
        normalize: wish.normalize ?? normalize,
      };
      const rows = texts.map((text) => ({ text, label: 0 }));
      const kind = "classification", windows = "cut";
      const embeddings: number[][] = [];
      for (const { ids } of encodeRows(rows, { ...encoding, kind, windows }).examples) {
        const outputs = await runGraph(ids);
        const tokens = ids.length;
        const answer = readEmbedding(outputs, { ...choice, poolingStart, tokens, settings });
        embeddings.push([...answer]);
      }
      return { ...choice, promptName, embeddings, tookMs: nowMs() - startMs };
    },
  };
}
