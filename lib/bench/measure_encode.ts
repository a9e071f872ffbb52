/**
 * Sentence embeddings of many texts, as {@link EncodeJob} says.
 * @module
 */
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import { openSavedModel, type SavedModel } from "@/eval/open_saved_model.ts";
import { readText } from "@/files.ts";
import { splitLines } from "@/plain_text.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { disposeModel } from "@/model/parameters.ts";
import { loadTexts } from "@/model/sentence_settings.ts";
import type { EncodeJob, Measurement } from "@/bench/job.ts";
import { median } from "@/bench/statistics.ts";

/** A short text, and how often it is encoded alone, after a few times that do not count. */
const SHORT_TEXT = "A short sentence to encode.", SHORT_CALLS = 50, SHORT_WARMUP = 5;

/** Median milliseconds from the call to the vector of one short text. */
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

/** The first `count` lines of a text, over again where there are fewer; empty lines do not count. */
export function takeTexts(text: string, count: number): readonly string[] {
  const lines = splitLines(text).filter((line) => line.trim() !== "");
  if (lines.length === 0) return [];
  return Array.from({ length: count }, (_, i) => lines[i % lines.length] ?? "");
}

/** Measures passes over all texts. */
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
    ({ tokenizer } = await loadTexts(folder)); // one that remembers no word of the pass before
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
