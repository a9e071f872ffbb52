/** Parity with AutoTokenizer on the precedence of a tokenizer's files; see test/parity/tokenizer_rules.py. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { readJson } from "@/system/files.ts";
import { loadTokenizer } from "@/text/load_tokenizer.ts";
import { saveTokenizer } from "./save_tokenizer.ts";

type Json = Record<string, unknown>;
type Case = {
  name: string;
  tokenizer: Json | null;
  config: Json | null;
  model: Json;
  files: Record<string, Json>;
  ids: number[][];
};
type Fixture = {
  versions: { transformers: string };
  vocabulary: string[];
  texts: string[];
  first: Json;
  cases: Case[];
};
const FIXTURE = await readJson("test/fixtures/tokenizer_rules.json", "fixture") as Fixture;
const { texts, cases, first, vocabulary } = FIXTURE;

/** Writes a model folder with the files of a case. */
async function writeFolder({ tokenizer, config, model, files }: Case): Promise<string> {
  const dir = await Deno.makeTempDir();
  const write = (name: string, value: Json) =>
    Deno.writeTextFile(join(dir, name), JSON.stringify(value));
  await write("config.json", model);
  if (tokenizer !== null) await write("tokenizer.json", { ...first, ...tokenizer });
  else await Deno.writeTextFile(join(dir, "vocab.txt"), vocabulary.join("\n") + "\n");
  if (config !== null) await write("tokenizer_config.json", config);
  for (const [name, value] of Object.entries(files)) await write(`${name}.json`, value);
  return dir;
}

/** Encodes all texts with the tokenizer of a folder, including [CLS] and [SEP]. */
async function encodeAll(dir: string): Promise<number[][]> {
  const { ids: { cls, sep }, encodeText } = await loadTokenizer(dir);
  return texts.map((text) => [cls, ...encodeText(text), sep]);
}

for (const item of cases) {
  Deno.test(`loadTokenizer() returns the ids of transformers ${FIXTURE.versions.transformers}: ${item.name}`, async () => {
    const dir = await writeFolder(item);
    deepStrictEqual(await encodeAll(dir), item.ids);
    // the saved files give the same ids, whichever of the two a library reads
    const saved = await Deno.makeTempDir();
    await saveTokenizer(saved, await loadTokenizer(dir));
    deepStrictEqual(await encodeAll(saved), item.ids);
    const config = await readJson(join(saved, "tokenizer_config.json"), "settings") as Json;
    const asFile = { ...config, tokenizer_class: "PreTrainedTokenizerFast" };
    await Deno.writeTextFile(join(saved, "tokenizer_config.json"), JSON.stringify(asFile));
    deepStrictEqual(await encodeAll(saved), item.ids);
  });
}

Deno.test("the cases of tokenizer rules distinguish the rules", () => {
  const distinct = new Set(cases.map(({ ids }) => JSON.stringify(ids)));
  strictEqual(distinct.size > 12, true, `${distinct.size}`);
});
