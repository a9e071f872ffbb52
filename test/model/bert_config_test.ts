import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { formatBertConfig, parseBertConfig, readBertConfig } from "@/model/bert_config.ts";
import { FOLDER } from "./bert_fixture.ts";

const GIVEN = {
  model_type: "bert",
  architectures: ["BertForMaskedLM"],
  vocab_size: 100,
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 48,
  max_position_embeddings: 64,
};

Deno.test("parseBertConfig() uses the defaults of transformers", () => {
  deepStrictEqual(parseBertConfig(GIVEN, "config.json"), {
    vocabularySize: 100,
    hiddenSize: 12,
    layers: 2,
    attentionHeads: 3,
    intermediateSize: 48,
    maxPositions: 64,
    typeVocabularySize: 2,
    layerNormEpsilon: 1e-12,
    initializerRange: 0.02,
    padId: 0,
    dropout: { hidden: 0.1, attention: 0.1 },
  });
});

Deno.test("readBertConfig() reads a file written by save_pretrained", async () => {
  const config = await readBertConfig(FOLDER);
  strictEqual(config.hiddenSize, 32);
  strictEqual(config.attentionHeads, 4);
  strictEqual(config.maxPositions, 16);
  deepStrictEqual(config.dropout, { hidden: 0, attention: 0 });
});

Deno.test("formatBertConfig() is the inverse of parseBertConfig()", () => {
  const config = parseBertConfig(
    { ...GIVEN, layer_norm_eps: 1e-6, pad_token_id: 3 },
    "config.json",
  );
  deepStrictEqual(parseBertConfig(formatBertConfig(config), "again"), config);
});

const REFUSED: readonly (readonly [object, string])[] = [
  [{ model_type: "roberta" }, '"model_type" in F must be "bert", but is "roberta"'],
  [{ model_type: undefined }, '"model_type" in F must be "bert", but is missing'],
  [
    { architectures: ["BertLMHeadModel"] },
    '"architectures" in F must be among BertModel, BertForPreTraining, BertForMaskedLM, BertForNextSentencePrediction, ' +
    "BertForSequenceClassification, BertForTokenClassification, BertForMultipleChoice, BertForQuestionAnswering, " +
    'but is ["BertLMHeadModel"]',
  ],
  [{ hidden_act: "gelu_new" }, '"hidden_act" in F must be "gelu", but is "gelu_new"'],
  [
    { position_embedding_type: "relative_key" },
    '"position_embedding_type" in F must be "absolute", but is "relative_key"',
  ],
  [{ is_decoder: true }, '"is_decoder" in F must be false, but is true'],
  [
    { num_attention_heads: 5 },
    '"hidden_size" in F must be a multiple of num_attention_heads (5), but is 12',
  ],
  [
    { vocab_size: undefined },
    '"vocab_size" in F must be a positive integer, but is missing',
  ],
  [
    { num_hidden_layers: 1.5 },
    '"num_hidden_layers" in F must be an integer from 1 to 1024, but is 1.5',
  ],
  [{ layer_norm_eps: 0 }, '"layer_norm_eps" in F must be above 0, but is 0'],
  [
    { pad_token_id: 100 },
    '"pad_token_id" in F must be a non-negative integer below vocab_size (100), but is 100',
  ],
  [
    { hidden_dropout_prob: 1 },
    '"hidden_dropout_prob" in F must be in [0, 1), but is 1',
  ],
];

for (const [change, message] of REFUSED) {
  Deno.test(`parseBertConfig() rejects ${JSON.stringify(change)}`, () => {
    throws(() => parseBertConfig({ ...GIVEN, ...change }, "F"), {
      name: "RangeError",
      message: `Cannot load model: ${message}`,
    });
  });
}

Deno.test("readBertConfig() reports a missing file", async () => {
  await rejects(readBertConfig("/no/such/folder"), { name: "NotFound" });
});
