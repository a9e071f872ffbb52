/**
 * Measures sentence embeddings of many texts: an {@link EncodeJob}.
 * @module
 */
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import { openSavedModel, type SavedModel } from "@/eval/open_saved_model.ts";
import { readText } from "@/system/files.ts";
import { splitLines } from "@/plain_text.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { disposeModel } from "@/model/parameters.ts";
import { loadTexts } from "@/model/sentence_settings.ts";
import type { EncodeJob, Measurement } from "./job.ts";
import { median } from "@/statistics.ts";

/** A short text to encode alone, and its numbers of measured calls and of warm-up calls. */
const SHORT_TEXT = "A short sentence to encode.", SHORT_CALLS = 50, SHORT_WARMUP = 5;

/** Median latency of encoding one short text, in milliseconds. */
async function timeShortText(saved: SavedModel, nowMs: () => number): Promise<number> {
  const encoder = createSentenceEncoder(saved, { rows: 1 });
  const timesMs: number[] = [];
  for (let call = -SHORT_WARMUP; call < SHORT_CALLS; call++) {
    const startMs = nowMs();
    await encoder.encode([SHORT_TEXT]);
    if (call >= 0) timesMs.push(nowMs() - startMs);
  }
  return median(timesMs);
}

/** The first `count` non-empty lines of a text; the lines are repeated if there are fewer. */
export function takeTexts(text: string, count: number): readonly string[] {
  const lines = splitLines(text).filter((line) => line.trim() !== "");
  if (lines.length === 0) return [];
  return Array.from({ length: count }, (_, i) => lines[i % lines.length] ?? "");
}

/** Measures passes over all texts, and the latency of a single short text. */
export async function measureEncoding(
  { model: source, texts: path, count, rows, maxLength, passes }: EncodeJob,
  nowMs: () => number,
): Promise<readonly Measurement[]> {
  const texts = takeTexts(await readText(path, "texts"), count);
  const folder = await findModelFolder(source);
  const saved = await openSavedModel(folder);
  let { tokenizer } = saved;
  const encoder = createSentenceEncoder({
    ...saved,
    maxLength: Math.min(maxLength, saved.maxLength),
    tokenizer: { ...tokenizer, encodeText: (text) => tokenizer.encodeText(text) },
  }, { rows });
  const timesMs: number[] = [];
  for (let pass = 0; pass <= passes; pass++) {
    ({ tokenizer } = await loadTexts(folder)); // a new tokenizer, without the cached words of the previous pass
    const startMs = nowMs();
    await encoder.encode(texts);
    if (pass > 0) timesMs.push(nowMs() - startMs);
  }
  const shortTextMs = await timeShortText(saved, nowMs);
  disposeModel(saved.model);
  const totalMs = timesMs.reduce((sum, ms) => sum + ms, 0);
  return [{
    label: "",
    timesMs,
    details: { textsPerSecond: texts.length * passes / totalMs * 1000, shortTextMs },
  }];
}
