/** The small tokenizer in `test/fixtures/tokenizer`. @module */

import { loadTokenizer } from "@/text/load_tokenizer.ts";

export const TOKENIZER_FOLDER = "test/fixtures/tokenizer";
export const TOKENIZER = await loadTokenizer(TOKENIZER_FOLDER);
