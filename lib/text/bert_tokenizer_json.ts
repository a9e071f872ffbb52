/**
 * Builds tokenizer.json and tokenizer_config.json of a BERT tokenizer, in the format of Hugging Face's Python
 * and JavaScript libraries (`tokenizers` 0.22, `@huggingface/transformers` 4.3).
 * @module
 */

/** The parsed contents of tokenizer.json and tokenizer_config.json. */
export type TokenizerFiles = {
  readonly json: Record<string, unknown>;
  readonly config: Record<string, unknown>;
};

/** Tokens that every vocabulary contains. Vocabularies learned here begin with them, in this order. */
export const SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;

/** The text of each special token, by role. */
export type SpecialNames = {
  readonly unk: string;
  readonly sep: string;
  readonly pad: string;
  readonly cls: string;
  readonly mask: string;
};

/** The special tokens of BERT. */
export const BERT_NAMES = {
  unk: "[UNK]",
  sep: "[SEP]",
  pad: "[PAD]",
  cls: "[CLS]",
  mask: "[MASK]",
} as const satisfies SpecialNames;

/** The `BertNormalizer` of tokenizer.json. */
export type BertNormalizerJson = {
  readonly type: "BertNormalizer";
  readonly clean_text: boolean;
  readonly handle_chinese_chars: boolean;
  /** Null means the value of `lowercase`. */
  readonly strip_accents: boolean | null;
  readonly lowercase: boolean;
};

/** The components of a BERT tokenizer. */
type BertParts = {
  /** The id of each token in the vocabulary. */
  readonly vocab: Record<string, unknown>;
  readonly names: SpecialNames;
  readonly normalizer: BertNormalizerJson;
  /** Tokens that are recognized in raw text, with their ids. */
  readonly specials: Iterable<readonly [string, number]>;
};

/** Formats the field `added_tokens` of tokenizer.json, with plain special tokens. */
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

/** Builds the fields of tokenizer.json that `BertTokenizer` of transformers 5.24 rebuilds for every checkpoint. */
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
 * Builds the files of a WordPiece tokenizer. The id of a token is its index in `tokens`.
 *
 * @param tokens must contain all {@link SPECIAL_TOKENS}.
 */
export function buildTokenizerFiles(
  tokens: readonly string[],
  options: { readonly lowercase: boolean },
): TokenizerFiles {
  const { lowercase } = options;
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const specials = SPECIAL_TOKENS.map((token) => {
    const id = ids.get(token);
    if (id !== undefined) return [token, id] as const;
    throw new RangeError(
      `Cannot build tokenizer: its vocabulary must contain ${token}, but ` +
        `its ${tokens.length} tokens do not include it`,
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

/** Builds tokenizer_config.json for BERT, with the fields that the Python and JavaScript libraries read. */
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
