import { deepStrictEqual, notDeepStrictEqual, rejects, throws } from "node:assert/strict";
import { join } from "node:path";
import { loadTokenizer } from "@/text/load_tokenizer.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { TOKENIZER } from "./fixture_tokenizer.ts";

type Json = Record<string, unknown>;
const JSON_FILE = TOKENIZER.json as Json;

Deno.test("tokenizerFromJson() rejects settings that it cannot reproduce exactly", () => {
  const from = "m/tokenizer.json";
  const refuse = (json: unknown, message: string, config: unknown = null) =>
    throws(() => tokenizerFromJson(json, config, from), { message });
  const vocab = (JSON_FILE["model"] as { vocab: Record<string, number> }).vocab;
  refuse(
    3,
    "Cannot read tokenizer: the content of m/tokenizer.json must be an object, but is number",
  );
  refuse(
    { ...JSON_FILE, model: { type: "WordPiece", vocab: { ...vocab, odd: -1 } } },
    'Cannot read tokenizer: token "odd" of m/tokenizer.json must have an integer id from 0 to ' +
      "4194303, but its id is -1",
  );
  refuse(
    { ...JSON_FILE, model: { type: "WordPiece", vocab: { ...vocab, odd: 2 ** 31 } } },
    'Cannot read tokenizer: token "odd" of m/tokenizer.json must have an integer id from 0 to ' +
      "4194303, but its id is 2147483648",
  );
  refuse(
    { ...JSON_FILE, added_tokens: [{ id: 9 }] },
    'Cannot read tokenizer: added token 9 of m/tokenizer.json must have a string as "content", ' +
      "but is missing",
  );
  refuse(
    { ...JSON_FILE, added_tokens: [], model: { type: "WordPiece", vocab: { "[PAD]": 0, a: 1 } } },
    "Cannot read tokenizer: the vocabulary of m/tokenizer.json must contain [CLS], but its 2 tokens do not include it",
  );
  refuse(
    { ...JSON_FILE, added_tokens: [{ id: 9, content: "New", normalized: true }] },
    'Cannot read tokenizer: added token "New" of m/tokenizer.json has ' +
      '"normalized": true, which is not supported',
  );
  for (const key of ["do_lower_case", "tokenize_chinese_chars"]) {
    for (const value of [null, 0, "false"]) {
      refuse(
        JSON_FILE,
        `Cannot read tokenizer: "${key}" in tokenizer_config.json beside m/tokenizer.json must be true or ` +
          `false, but is ${JSON.stringify(value)}`,
        { [key]: value },
      );
    }
  }
  refuse(
    JSON_FILE,
    'Cannot read tokenizer: "strip_accents" in tokenizer_config.json beside m/tokenizer.json must be true or ' +
      'false or null, but is "no"',
    { strip_accents: "no" },
  );
  refuse(
    JSON_FILE,
    'Cannot read tokenizer: "truncation_side" in tokenizer_config.json beside m/tokenizer.json must be "right", ' +
      'but is "left". Only truncation at the end is supported',
    { truncation_side: "left" },
  );
  const left = { ...JSON_FILE, truncation: { direction: "Left", max_length: 8 } };
  refuse(
    left,
    'Cannot read tokenizer: "truncation.direction" of m/tokenizer.json must be "Right", but is "Left". ' +
      "Only truncation at the end is supported",
  );
  tokenizerFromJson(left, { truncation_side: "right" }, from); // tokenizer_config.json takes precedence
});

Deno.test("tokenizerFromJson() reports an unsupported tokenizer type before other errors", () => {
  const refuse = (json: Json, reason: string, config: unknown = { tokenizer_class: "Odd" }) =>
    throws(() => tokenizerFromJson({ normalizer: null, ...json }, config, "m/tokenizer.json"), {
      message: `Cannot read tokenizer: ${reason}`,
    });
  const wanted = '"model" of m/tokenizer.json must be WordPiece, but is';
  const advice = ". Choose a checkpoint with BERT's own tokenizer";
  for (const type of ["Unigram", "BPE", "WordLevel"]) {
    refuse({ model: { type } }, `${wanted} ${type}${advice}`);
  }
  refuse({ model: { vocab: [["a", -1]] } }, `${wanted} Unigram${advice}`); // old files omit the type
  refuse({ model: { vocab: {}, merges: [] } }, `${wanted} BPE${advice}`);
  refuse({}, `${wanted} missing${advice}`);
  refuse({ model: null }, `${wanted} null${advice}`);
  refuse({ model: [] }, '"model" of m/tokenizer.json must be an object, but is an array');

  for (const name of ["BertJapaneseTokenizer", "XLMRobertaTokenizerFast", "MPNetTokenizer", 3]) {
    refuse(
      JSON_FILE,
      '"tokenizer_class" in tokenizer_config.json (or config.json) beside m/tokenizer.json must be BertTokenizer, ' +
        `one of its aliases, or PreTrainedTokenizerFast, but is ${JSON.stringify(name)}`,
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
      `"${field}" of m/tokenizer.json must be ${type}, but is Sequence`,
      asItIs,
    );
    // BertTokenizer ignores the field and rebuilds it
    deepStrictEqual(
      tokenizerFromJson(json).encodeText("the railway"),
      TOKENIZER.encodeText("the railway"),
    );
  }
  const around =
    '"post_processor" of m/tokenizer.json must put [CLS] before a text and [SEP] after it, but';
  const single = [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, {
    Sequence: { id: "A", type_id: 0 },
  }];
  refuse(
    { ...JSON_FILE, post_processor: { type: "TemplateProcessing", single } },
    `${around} adds other tokens`,
    asItIs,
  );
  refuse({ ...JSON_FILE, post_processor: null }, `${around} is null`, asItIs);
});

Deno.test("loadTokenizer() rejects tokens of added_tokens.json that are matched in normalized text", async () => {
  const dir = await Deno.makeTempDir(), path = join(dir, "vocab.txt");
  await Deno.writeTextFile(path, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n");
  await Deno.writeTextFile(join(dir, "added_tokens.json"), '{"covid": 6}');
  await rejects(loadTokenizer(dir), {
    name: "TypeError",
    message:
      `Cannot read tokenizer: added token "covid" of ${path} has "normalized": true, which is not supported`,
  });
});

Deno.test("tokenizerFromJson(): tokenizers with different special tokens have a different tokenizer.json", () => {
  for (const tokenizer_class of ["BertTokenizer", "PreTrainedTokenizerFast"]) {
    const plain = tokenizerFromJson(JSON_FILE, { tokenizer_class });
    const more = tokenizerFromJson(JSON_FILE, { tokenizer_class, extra_special_tokens: ["[X]"] });
    deepStrictEqual(more.encodeText("[X]").length, 1);
    notDeepStrictEqual(more.json, plain.json); // it is part of the key of cached rows
  }
});

Deno.test("loadTokenizer() recognizes the files of unsupported tokenizers", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(join(dir, "sentencepiece.bpe.model"), "");
  await rejects(loadTokenizer(dir), {
    name: "RangeError",
    message:
      `Cannot load tokenizer: ${dir} must contain a WordPiece tokenizer as tokenizer.json or vocab.txt. It contains ` +
      "sentencepiece.bpe.model, a SentencePiece tokenizer, which is not supported. Choose a checkpoint with BERT's tokenizer",
  });
});
