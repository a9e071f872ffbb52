/**
 * Tagged words and encoded examples in a notebook: inputs, labels and errors of a tagging model.
 * @module
 */

import type { MistaggedSentence } from "@/eval/prediction_errors.ts";
import { spans } from "@/eval/spans.ts";
import { type Batch, IGNORED } from "@/text/example.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import { type Displayable, showText, stack } from "./displayable.ts";
import { showEntities } from "./show_entities.ts";
import { showTable } from "./show_table.ts";

/** Shows words joined by spaces, with the entities of their BIO tags marked. */
export function showTaggedWords(words: readonly string[], tags: readonly string[]): Displayable {
  const starts: number[] = [];
  let length = 0;
  for (const word of words) {
    starts.push(length);
    length += word.length + 1;
  }
  const marked = spans(tags, "conlleval").map(({ type, start, end }) => ({
    type,
    start: starts[start] ?? 0,
    end: (starts[end - 1] ?? 0) + (words[end - 1]?.length ?? 0),
  }));
  return showEntities(words.join(" "), marked);
}

/** Shows the first sentences, each with its kinds of error, its gold entities and the predicted ones. */
export function showMistagged(
  sentences: readonly MistaggedSentence[],
  { limit = 5 }: { readonly limit?: number } = {},
): Displayable {
  return stack(
    sentences.slice(0, limit).flatMap(({ words, gold, predicted, errors }) => [
      showText(`Errors: ${errors.map(({ kind }) => kind).join(", ")}. Gold, then predicted:`),
      showTaggedWords(words, gold),
      showTaggedWords(words, predicted),
    ]),
  );
}

/** Shows one row of a batch of tagged words as a table with one line per token: id, token, mask and tag. */
export function showBatchRow(
  { ids, mask, labels, length }: Batch,
  row: number,
  options: { readonly tokenizer: Tokenizer; readonly labels: readonly string[] },
): Displayable {
  const tokens = Array.from({ length }, (_, position) => {
    const at = row * length + position;
    const label = labels[at] ?? IGNORED;
    return {
      id: ids[at] ?? 0,
      token: options.tokenizer.token(ids[at] ?? 0),
      mask: mask[at] ?? 0,
      tag: label === IGNORED ? "ignored" : options.labels[label] ?? "",
    };
  });
  return showTable(tokens, { limit: length });
}
