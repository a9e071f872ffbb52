/**
 * Examples to click.
 * @module
 */

/** Texts to read. */
export const TEXT_EXAMPLES = [
  "Coach Gerdin praised Nexavor Rovers after the final in Balogandale.",
  "Shares of Kelvanta Corp fell on Friday after the bank audited its bonds.",
  "Researchers in Undolin tested a satellite network for the spacecraft.",
  "The governor of Maremon Island met ministers in Paris over the sanctions.",
] as const;

/** Lists of sentences to compare, by name. */
export const SENTENCE_EXAMPLES = {
  "Two topics": [
    "The coach praised the goalkeeper after the final.",
    "The team won the match on penalties.",
    "Shares fell after the bank cut its forecast.",
    "Investors sold bonds as the market dropped.",
  ],
  "Order of words": [
    "The bank praised the coach.",
    "The coach praised the bank.",
    "The coach was praised by the bank.",
  ],
} as const;
