import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { splitWords } from "@/split_words.ts";

/** Hand-written texts and their words by the conventions of CoNLL-2003, separated by "|". */
const CASES: readonly [string, string][] = [
  ["Okafor scored twice.", "Okafor|scored|twice|."],
  ["The U.S. team, led by J. R. Moss, won.", "The|U.S.|team|,|led|by|J.|R.|Moss|,|won|."],
  ["He left the U.S.", "He|left|the|U.S."],
  ["Mr. Hale joined Acme Inc. in Oct. 2030", "Mr.|Hale|joined|Acme|Inc.|in|Oct.|2030"],
  ["He works for Acme Inc.", "He|works|for|Acme|Inc|."],
  ['("Acme Inc.")', '(|"|Acme|Inc|.|"|)'],
  ["They met at 10 a.m. on 22/11/30.", "They|met|at|10|a.m.|on|22/11/30|."],
  ["don't can't won’t", "do|n't|ca|n't|wo|n’t"],
  ["Mara's and players' we're I'm O'Neill's", "Mara|'s|and|players|'|we|'re|I|'m|O'Neill|'s"],
  ["rock 'n' roll of the '90s 's", "rock|'|n|'|roll|of|the|'90s|'s"],
  ["It cost $1,200.50, US$300 or 5%", "It|cost|$|1,200.50|,|US$|300|or|5|%"],
  ["won 6-4 7-6 in 2:29.34, up +0.5 from -3", "won|6-4|7-6|in|2:29.34|,|up|+0.5|from|-3"],
  ["well-known Anglo-French 10-year", "well-known|Anglo-French|10-year"],
  ["yes--no -- what... really?!", "yes|--|no|--|what|...|really|?|!"],
  ["“Quoted,” she said – ‘so’", "“|Quoted|,|”|she|said|–|‘|so|’"],
  [
    "See http://example.org/a?b=c, mail a.b@example.org.",
    "See|http://example.org/a?b=c|,|mail|a.b@example.org|.",
  ],
  ["1. Hale 2. Moss", "1.|Hale|2|.|Moss"],
  ["north,south 1,000,000", "north|,|south|1,000,000"],
  ["win🎉 👨‍👩‍👧family 🇩🇪🇫🇷", "win|🎉|👨‍👩‍👧|family|🇩🇪|🇫🇷"],
  ["S&P AT&T R&D", "S&P|AT&T|R&D"],
  ["", ""],
  [" \t\n\u00a0", ""],
  ["... '' .", "...|''|."],
];

for (const [text, words] of CASES) {
  Deno.test(`splitWords() of ${JSON.stringify(text)}`, () => {
    strictEqual(splitWords(text).map(({ word }) => word).join("|"), words);
  });
}

Deno.test("splitWords() covers every character except white space exactly once, in order", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom(
      ..."U.S.|Inc.|'s|n't|don't|...|--|$|US$|1,2|(|\"|“|.|,|🎉|\u200d|\ud83d| | |\n|http://a.b/?c|e\u0301"
        .split("|"),
    ),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      let at = 0;
      for (const { word, start, end } of splitWords(text)) {
        strictEqual(text.slice(start, end), word);
        strictEqual(word.length > 0 && !/\s/u.test(word), true);
        strictEqual(start >= at && text.slice(at, start).trim() === "", true);
        at = end;
      }
      strictEqual(text.slice(at).trim(), "");
    }),
    { seed: 1, numRuns: 400 },
  );
});

Deno.test("splitWords() is idempotent: words joined by spaces split into the same words", () => {
  for (const [text] of CASES.filter(([text]) => !/Inc\.$|Inc\."/.test(text))) {
    const words = splitWords(text).map(({ word }) => word);
    deepStrictEqual(splitWords(words.join(" ")).map(({ word }) => word), words);
  }
});
