import { deepStrictEqual, notDeepStrictEqual, rejects, throws } from "node:assert/strict";
import { join } from "node:path";
import { loadTokenizer } from "@/text/load_tokenizer.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { TOKENIZER } from "./fixture_tokenizer.ts";

type Json = Record<string, unknown>;
const JSON_FILE = TOKENIZER.json as Json;

Deno.test("tokenizerFromJson() refuses what it cannot follow exactly", () => {
  const from = "m/tokenizer.json";
  const refuse = (json: unknown, message: string, config: unknown = null) =>
    throws(() => tokenizerFromJson(json, config, from), { message });
  const vocab = (JSON_FILE["model"] as { vocab: Record<string, number> }).vocab;
  refuse(3, "Cannot read tokenizer as the content of m/tokenizer.json must be an object: number");
  refuse(
    { ...JSON_FILE, model: { type: "WordPiece", vocab: { ...vocab, odd: -1 } } },
    'Cannot read tokenizer as token "odd" of m/tokenizer.json must have an integer from 0 to ' +
      "4194303 as id: current value is -1",
  );
  refuse(
    { ...JSON_FILE, model: { type: "WordPiece", vocab: { ...vocab, odd: 2 ** 31 } } },
    'Cannot read tokenizer as token "odd" of m/tokenizer.json must have an integer from 0 to ' +
      "4194303 as id: current value is 2147483648",
  );
  refuse(
    { ...JSON_FILE, added_tokens: [{ id: 9 }] },
    'Cannot read tokenizer as added token 9 of m/tokenizer.json must have a text as "content": ' +
      "current value is missing",
  );
  refuse(
    { ...JSON_FILE, added_tokens: [], model: { type: "WordPiece", vocab: { "[PAD]": 0, a: 1 } } },
    "Cannot read tokenizer as the vocabulary of m/tokenizer.json must hold [CLS]: none of its 2 tokens is",
  );
  refuse(
    { ...JSON_FILE, added_tokens: [{ id: 9, content: "New", normalized: true }] },
    'Cannot read tokenizer as added token "New" of m/tokenizer.json must not be "normalized": ' +
      "current value is true",
  );
  for (const key of ["do_lower_case", "tokenize_chinese_chars"]) {
    for (const value of [null, 0, "false"]) {
      refuse(
        JSON_FILE,
        `Cannot read tokenizer as "${key}" in tokenizer_config.json beside m/tokenizer.json must be true or ` +
          `false: current value is ${JSON.stringify(value)}`,
        { [key]: value },
      );
    }
  }
  refuse(
    JSON_FILE,
    'Cannot read tokenizer as "strip_accents" in tokenizer_config.json beside m/tokenizer.json must be true or ' +
      'false or null: current value is "no"',
    { strip_accents: "no" },
  );
});

Deno.test("tokenizerFromJson() names another kind of tokenizer before anything else", () => {
  const refuse = (json: Json, reason: string, config: unknown = { tokenizer_class: "Odd" }) =>
    throws(() => tokenizerFromJson({ normalizer: null, ...json }, config, "m/tokenizer.json"), {
      message: `Cannot read tokenizer as ${reason}`,
    });
  const wanted = '"model" of m/tokenizer.json must be WordPiece: current type is';
  const advice = "; choose a checkpoint with BERT's own tokenizer";
  for (const type of ["Unigram", "BPE", "WordLevel"]) {
    refuse({ model: { type } }, `${wanted} ${type}${advice}`);
  }
  refuse({ model: { vocab: [["a", -1]] } }, `${wanted} Unigram${advice}`); // old files leave the type out
  refuse({ model: { vocab: {}, merges: [] } }, `${wanted} BPE${advice}`);
  refuse({}, `${wanted} missing${advice}`);
  refuse({ model: null }, `${wanted} null${advice}`);
  refuse({ model: [] }, '"model" of m/tokenizer.json must be an object: an array');

  for (const name of ["BertJapaneseTokenizer", "XLMRobertaTokenizerFast", "MPNetTokenizer", 3]) {
    refuse(
      JSON_FILE,
      '"tokenizer_class" in tokenizer_config.json (or config.json) beside m/tokenizer.json must be BertTokenizer, ' +
        `another name of it, or PreTrainedTokenizerFast: current value is ${JSON.stringify(name)}`,
      { tokenizer_class: name },
    );
  }
  const parts: readonly [string, string][] = [
    ["normalizer", "BertNormalizer"],
    ["pre_tokenizer", "BertPreTokenizer"],
    ["post_processor", "TemplateProcessing"],
  ];
  const asItIs = { tokenizer_class: "PreTrainedTokenizerFast" };
  for (const [field, type] of parts) {
    const json = { ...JSON_FILE, [field]: { type: "Sequence" } };
    refuse(
      json,
      `"${field}" of m/tokenizer.json must be ${type}: current type is Sequence`,
      asItIs,
    );
    // BERT's own class builds it anew
    deepStrictEqual(
      tokenizerFromJson(json).encodeText("the railway"),
      TOKENIZER.encodeText("the railway"),
    );
  }
  const around =
    '"post_processor" of m/tokenizer.json must put [CLS] before a text and [SEP] after it: it';
  const single = [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, {
    Sequence: { id: "A", type_id: 0 },
  }];
  refuse(
    { ...JSON_FILE, post_processor: { type: "TemplateProcessing", single } },
    `${around} puts others`,
    asItIs,
  );
  refuse({ ...JSON_FILE, post_processor: null }, `${around} is null`, asItIs);
});

Deno.test("loadTokenizer() refuses tokens of added_tokens.json that are matched in normalized text", async () => {
  const dir = await Deno.makeTempDir(), path = join(dir, "vocab.txt");
  await Deno.writeTextFile(path, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n");
  await Deno.writeTextFile(join(dir, "added_tokens.json"), '{"covid": 6}');
  await rejects(loadTokenizer(dir), {
    name: "TypeError",
    message:
      `Cannot read tokenizer as added token "covid" of ${path} must not be "normalized": current value is true`,
  });
});

Deno.test("tokenizerFromJson() tells tokenizers apart by their tokenizer.json, whatever else names special tokens", () => {
  for (const tokenizer_class of ["BertTokenizer", "PreTrainedTokenizerFast"]) {
    const plain = tokenizerFromJson(JSON_FILE, { tokenizer_class });
    const more = tokenizerFromJson(JSON_FILE, { tokenizer_class, extra_special_tokens: ["[X]"] });
    deepStrictEqual(more.encodeText("[X]").length, 1);
    notDeepStrictEqual(more.json, plain.json); // cached rows go by it
  }
});

Deno.test("loadTokenizer() names the files of tokenizers that are not BERT's", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(join(dir, "sentencepiece.bpe.model"), "");
  await rejects(loadTokenizer(dir), {
    name: "RangeError",
    message:
      `Cannot load tokenizer as ${dir} must hold WordPiece as tokenizer.json or vocab.txt: it holds ` +
      "sentencepiece.bpe.model, a tokenizer by SentencePiece, which is not supported; choose a checkpoint with BERT's tokenizer",
  });
});
