/**
 * Entities in BIO tags. The two rules differ on tag sequences that are invalid in IOB2 but that a model can
 * predict:
 *
 * | tags | `conlleval` | `strict` (IOB2) |
 * | --- | --- | --- |
 * | `O I-PER` | the I- opens a PER | no entity |
 * | `B-PER I-LOC` | PER, then a LOC | PER alone |
 * | `I-PER I-PER` | one PER | no entity |
 * | `B-PER B-PER` | two PER | two PER |
 *
 * `conlleval` is the rule of the CoNLL shared tasks' script (Tjong Kim Sang, conlleval.pl, 2002);
 * `strict` is that of seqeval 1.2.2 with `mode="strict", scheme=IOB2`.
 * @module
 */

import { assertNever } from "@/assert_never.ts";
import { isTaggedRow, type Row } from "@/data/rows.ts";

/** Rules for reading entities from tags; see the module description. */
export const SPAN_RULES = ["conlleval", "strict"] as const;
/** One of {@link SPAN_RULES}. */
export type SpanRule = typeof SPAN_RULES[number];

/** One entity: words [start, end). */
export type Span = { readonly type: string; readonly start: number; readonly end: number };

type Tag = { readonly mark: "B" | "I" | "O"; readonly type: string };

/**
 * Entities of one sentence, in order and without overlap.
 *
 * @example
 * ```ts
 * import { spans } from "@/eval/spans.ts";
 * spans(["B-PER", "I-PER", "O", "I-LOC"], "conlleval");
 * // [{ type: "PER", start: 0, end: 2 }, { type: "LOC", start: 3, end: 4 }]
 * ```
 */
export function spans(tags: readonly string[], rule: SpanRule): Span[] {
  const found: Span[] = [];
  let open: { type: string; start: number } | null = null;
  for (const [word, text] of tags.entries()) {
    const tag = parseTag(text);
    if (open && tag.mark === "I" && tag.type === open.type) continue;
    if (open) found.push({ ...open, end: word });
    open = opens(tag, rule) ? { type: tag.type, start: word } : null;
  }
  if (open) found.push({ ...open, end: tags.length });
  return found;
}

/** True if a tag that does not continue an entity begins one. */
function opens(tag: Tag, rule: SpanRule): boolean {
  switch (rule) {
    case "conlleval":
      return tag.mark !== "O";
    case "strict":
      return tag.mark === "B";
    default:
      return assertNever(rule, "span rule");
  }
}

function parseTag(text: string): Tag {
  if (text === "O") return { mark: "O", type: "" };
  const mark = text[0], type = text.slice(2);
  if ((mark === "B" || mark === "I") && text[1] === "-" && type !== "") return { mark, type };
  throw new SyntaxError(
    `Cannot read entities: a tag must be O, B-TYPE or I-TYPE, but one is ${JSON.stringify(text)}`,
  );
}

/** One entity of a data set. */
type EntityRecord = {
  readonly type: string;
  /** Words of the entity, joined by spaces. */
  readonly text: string;
  readonly words: number;
  /** Index of its row. */
  readonly row: number;
};

/** All entities of tagged rows, by conlleval's rules. `labels` are the tag names by tag index. */
export function listEntities(rows: readonly Row[], labels: readonly string[]): EntityRecord[] {
  return rows.flatMap((row, index) => {
    if (!isTaggedRow(row)) return [];
    const { tokens, tags } = row;
    return spans(tags.map((tag) => labels[tag] ?? "O"), "conlleval").map((
      { type, start, end },
    ) => ({
      type,
      text: tokens.slice(start, end).join(" "),
      words: end - start,
      row: index,
    }));
  });
}
