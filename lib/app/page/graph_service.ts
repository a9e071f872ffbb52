/**
 * Predicts and encodes with an exported graph, one text at a time. The results are those of the server, up to the
 * quantization error of eight-bit weights.
 * @module
 */
import type { EncodeAnswer, ModelInfo, PredictAnswer } from "@/app/contract.ts";
import { createGraphTextPredictor, readEmbedding, type RunGraph } from "@/eval/graph_model.ts";
import { encodeRows } from "@/text/encode_rows.ts";
import { findPoolingStart, resolvePrompt } from "@/text/prompts.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import type { EncodeOptions } from "./model_client.ts";

/** Options of {@link createGraphService}. */
type GraphServiceOptions = {
  readonly info: ModelInfo;
  readonly tokenizer: Tokenizer;
  readonly runGraph: RunGraph;
  readonly nowMs: () => number;
};

/** Predictions and embeddings computed from a graph. */
export type GraphService = {
  predict(texts: readonly string[]): Promise<PredictAnswer>;
  encode(texts: readonly string[], options: EncodeOptions): Promise<EncodeAnswer>;
};

/** Creates a service from a graph that has an embedding output for each of the model's pooling modes. */
export function createGraphService(
  { info, tokenizer, runGraph, nowMs }: GraphServiceOptions,
): GraphService {
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
    async encode(texts, options) {
      const startMs = nowMs();
      const choice = {
        pooling: options.pooling ?? pooling,
        normalize: options.normalize ?? normalize,
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
