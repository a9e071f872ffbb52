/**
 * Writes a tiny model folder for every combination of pooling, normalization and projection; each plain, with a prompt
 * that pooling skips, and lowercased. For `sentence_transformers_parity.py`, `expected.json` in each folder contains the
 * embeddings of a few texts.
 *
 *     deno run -A test/parity/write_model_folders.ts DIR
 */
import { join } from "node:path";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { openEngine } from "@/engine/engine.ts";
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import { parseBertConfig } from "@/model/bert_config.ts";
import { createEncoder, createModel } from "@/model/initialize.ts";
import { disposeModel } from "@/model/parameters.ts";
import { saveModel } from "@/model/save_model.ts";
import { withLowercase } from "@/text/load_tokenizer.ts";
import { NO_PROMPTS, type PromptSettings } from "@/text/prompts.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { learnVocabulary } from "@/text/vocabulary.ts";

const TEXTS = [
  "Ada Lovelace wrote to Babbage.",
  "São Paulo, 1999: it's raining — again!",
  "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
  "yes",
  "",
  " \t",
];

/** Prompt settings of the variant "prompt". */
const PROMPTS: PromptSettings = {
  prompts: { query: "one two: ", document: "" },
  defaultPromptName: "query",
  includePrompt: false,
};

const [folder = ""] = Deno.args;
await openEngine();
const lower = learnVocabulary(TEXTS, { size: 120, lowercase: true });
const tokenizer = tokenizerFromJson(lower.json, lower.config, "parity");
const cased = tokenizerFromJson(
  { ...lower.json, normalizer: { ...lower.json.normalizer as object, lowercase: false } },
  { ...lower.config, do_lower_case: false },
  "parity",
);
const VARIANTS = [
  { name: "plain", tokenizer, prompts: NO_PROMPTS },
  { name: "prompt", tokenizer, prompts: PROMPTS },
  { name: "lowercased", tokenizer: withLowercase(cased), prompts: NO_PROMPTS },
];
const config = parseBertConfig({
  model_type: "bert",
  vocab_size: tokenizer.vocabularySize,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 16,
  initializer_range: 0.4, // large, so that attention and norms matter
  pad_token_id: tokenizer.ids.pad,
}, "parity");
for (const pooling of POOLING_MODES) {
  for (const normalize of NORMALIZE_MODES) {
    for (const embeddingSize of [null, 6]) {
      for (const { name, tokenizer, prompts } of VARIANTS) {
        const options = { tasks: [], pooling, normalize, embeddingSize, seed: 3 };
        const model = createModel(createEncoder(config, { seed: 3 }), options);
        const size = embeddingSize ?? "none";
        const place = join(
          folder,
          `${pooling}-${normalize}-${size}${name === "plain" ? "" : `-${name}`}`,
        );
        await saveModel(place, model, { tokenizer, maxLength: 16, prompts });
        const saved = { model, tokenizer, maxLength: 16, prompts };
        const vectors = await createSentenceEncoder(saved, { rows: 4 }).encode(TEXTS);
        const embeddings = vectors.map((vector) => [...vector]);
        await Deno.writeTextFile(
          join(place, "expected.json"),
          JSON.stringify({ pooling, normalize, texts: TEXTS, embeddings }),
        );
        disposeModel(model);
      }
    }
  }
}
