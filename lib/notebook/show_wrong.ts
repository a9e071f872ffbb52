/**
 * Sentences with wrong entities in a notebook, as they are and as they were read.
 * @module
 */

import type { WrongSentence } from "@/eval/wrong_answers.ts";
import type { Displayable } from "./displayable.ts";
import { showText, stack } from "./show_rows.ts";
import { showTaggedWords } from "./show_tagged.ts";

/** The first sentences: which errors they hold, their gold entities, and those that were predicted. */
export function showWrongSentences(
  sentences: readonly WrongSentence[],
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
