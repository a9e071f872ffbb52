/**
 * Creates the small tokenizer that tests use: run `deno run -A test/parity/tokenizer_vocabulary.ts`, then
 * `tokenizer_parity.py`.
 * @module
 */

import { saveTokenizer } from "../text/save_tokenizer.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { learnVocabulary } from "@/text/vocabulary.ts";
import { SENTENCES } from "../text/sentences.ts";

const { json, config } = learnVocabulary(SENTENCES, { size: 640, lowercase: true });
await saveTokenizer("test/fixtures/tokenizer", tokenizerFromJson(json, config));
