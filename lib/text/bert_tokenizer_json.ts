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

/** Tokens that every vocabulary begins with, in this order when it is ours. */
export const SPECIAL_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

/** The special tokens by role. */
export type SpecialNames = {
  readonly unk: string;
  readonly sep: string;
  readonly pad: string;
  readonly cls: string;
  readonly mask: string;
};

/** Roles and texts of BERT's own special tokens. */
export const BERT_NAMES = {
  unk: "[UNK]",
  sep: "[SEP]",
  pad: "[PAD]",
  cls: "[CLS]",
  mask: "[MASK]",
} as const satisfies SpecialNames;

/** A `BertNormalizer` as tokenizer.json holds it. */
export type BertNormalizerJson = {
  readonly type: "BertNormalizer";
  readonly clean_text: boolean;
  readonly handle_chinese_chars: boolean;
  /** Null: as `lowercase`. */
  readonly strip_accents: boolean | null;
  readonly lowercase: boolean;
};

/** What a BERT tokenizer is built of. */
export type BertParts = {
  /** The id of each token of the vocabulary. */
  readonly vocab: Record<string, unknown>;
  readonly names: SpecialNames;
  readonly normalizer: BertNormalizerJson;
  /** Tokens that are recognized in raw text, with their ids. */
  readonly specials: Iterable<readonly [string, number]>;
};

/** The field `added_tokens` of tokenizer.json: plain special tokens. */
export function formatAddedTokens(specials: BertParts["specials"]): readonly unknown[] {
  return Array.from(specials, ([content, id]) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
}

/** The fields of tokenizer.json that the `BertTokenizer` of transformers 5.24 builds anew for every checkpoint. */
export function buildBertFields(
  { vocab, names, normalizer, specials }: BertParts,
): Record<string, unknown> {
  const { cls, sep } = names;
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const place = (token: string) => ({ id: token, ids: [vocab[token]], tokens: [token] });
  return {
    added_tokens: formatAddedTokens(specials),
    normalizer,
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [special(cls), { Sequence: { id: "A", type_id: 0 } }, special(sep)],
      pair: [
        special(cls),
        { Sequence: { id: "A", type_id: 0 } },
        special(sep),
        { Sequence: { id: "B", type_id: 1 } },
        { SpecialToken: { id: sep, type_id: 1 } },
      ],
      special_tokens: { [cls]: place(cls), [sep]: place(sep) },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: names.unk,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

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
  const specials = SPECIAL_PIECES.map((piece) => {
    const id = ids.get(piece);
    if (id !== undefined) return [piece, id] as const;
    throw new RangeError(
      `Cannot build tokenizer as its vocabulary must hold ${piece}: ` +
        `none of its ${pieces.length} tokens is`,
    );
  });
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    ...buildBertFields({
      vocab: Object.fromEntries(ids),
      names: BERT_NAMES,
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase,
      },
      specials,
    }),
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
