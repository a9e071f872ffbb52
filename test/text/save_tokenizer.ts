/** Writes a tokenizer to files, for tests and parity scripts. @module */

import { join } from "node:path";
import { writeFileAtomic } from "@/system/files.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** Writes `tokenizer.json` and `tokenizer_config.json` into a model folder. */
export async function saveTokenizer(dir: string, tokenizer: Tokenizer): Promise<void> {
  const text = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
  await writeFileAtomic(join(dir, "tokenizer.json"), text(tokenizer.json));
  await writeFileAtomic(join(dir, "tokenizer_config.json"), text(tokenizer.config));
}
