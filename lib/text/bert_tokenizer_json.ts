/**
 * tokenizer.json and tokenizer_config.json of a BERT tokenizer, as Hugging Face's Python and JavaScript
 * libraries read them (`tokenizers` 0.22, `@huggingface/transformers` 4.3).
 * @module
 */

/** The two files of a tokenizer. */
export type TokenizerFiles = {
  readonly json: Record<string, unknown>;
  readonly config: Record<string, unknown>;
};

/** Pieces that every vocabulary begins with, in this order when it is ours. */
export const SPECIAL_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

/**
 * The files of a WordPiece tokenizer over `pieces`, each with its index as id.
 *
 * @param pieces must hold every one of {@link SPECIAL_PIECES}.
 */
export function buildTokenizerFiles(
  pieces: readonly string[],
  options: { readonly lowercase: boolean },
): TokenizerFiles {
  const { lowercase } = options;
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const missing = SPECIAL_PIECES.find((piece) => !ids.has(piece));
  if (missing !== undefined) {
    throw new RangeError(
      `Cannot build tokenizer as its vocabulary must hold ${missing}: ` +
        `none of its ${pieces.length} pieces is`,
    );
  }
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const place = (piece: string) => ({ id: piece, ids: [ids.get(piece)], tokens: [piece] });
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_PIECES.map((content) => ({
      id: ids.get(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [special("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, special("[SEP]")],
      pair: [
        special("[CLS]"),
        { Sequence: { id: "A", type_id: 0 } },
        special("[SEP]"),
        { Sequence: { id: "B", type_id: 1 } },
        { SpecialToken: { id: "[SEP]", type_id: 1 } },
      ],
      special_tokens: { "[CLS]": place("[CLS]"), "[SEP]": place("[SEP]") },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(ids),
    },
  };
  return { json, config: buildTokenizerConfig(lowercase) };
}

/** A tokenizer_config.json for BERT, in the fields that both languages read. */
export function buildTokenizerConfig(lowercase: boolean): Record<string, unknown> {
  return {
    tokenizer_class: "BertTokenizer",
    do_lower_case: lowercase,
    tokenize_chinese_chars: true,
    strip_accents: null,
    unk_token: "[UNK]",
    sep_token: "[SEP]",
    pad_token: "[PAD]",
    cls_token: "[CLS]",
    mask_token: "[MASK]",
    model_max_length: 512,
    clean_up_tokenization_spaces: true,
  };
}
