/**
 * Sentences with wrong entities in a notebook: true and predicted entities.
 * @module
 */

import type { WrongSentence } from "@/eval/wrong_answers.ts";
import type { Displayable } from "./displayable.ts";
import { showText, stack } from "./show_rows.ts";
import { showTaggedWords } from "./show_tagged.ts";

/** Shows the first sentences, each with its kinds of error, its true entities and the predicted ones. */
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
