import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { SPECIAL_PIECES } from "@/text/bert_tokenizer_json.ts";
import { mergePieces } from "@/text/merge_pieces.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { learnVocabulary } from "@/text/vocabulary.ts";
import { SENTENCES } from "./sentences.ts";
import { TOKENIZER } from "./fixture_tokenizer.ts";

/** The pieces of learned files, by id. */
function piecesOf(files: ReturnType<typeof learnVocabulary>): string[] {
  const { vocab } = files.json["model"] as { vocab: Record<string, number> };
  return Object.entries(vocab).sort(([, a], [, b]) => a - b).map(([piece]) => piece);
}

Deno.test("mergePieces() merges the most frequent neighbors first", () => {
  // hug ×10, pug ×5, pun ×12, bun ×4, hugs ×5 (Hugging Face's course on BPE, sum for sum):
  // u+g 20 → ug; u+n 16 → un; h+ug 15 → hug; then p+un 12 → pun
  const words = new Map([["hug", 10], ["pug", 5], ["pun", 12], ["bun", 4], ["hugs", 5]]);
  const alphabet = ["b", "h", "p", "##g", "##n", "##s", "##u"];
  deepStrictEqual(mergePieces(words, alphabet, { count: 4 }), ["##ug", "##un", "hug", "pun"]);
});

Deno.test("mergePieces() stops where no pair occurs twice, and handles pairs that overlap", () => {
  deepStrictEqual(mergePieces(new Map([["ab", 1]]), ["a", "##b"], { count: 5 }), []);
  // aaaa ×2 is a ##a ##a ##a: ##a+##a stands at two places that overlap, 4; a+##a, 2; the first place is
  // merged: a ##aa ##a, two pairs of 2, of which the one with the lower ids comes first: a+##aa
  deepStrictEqual(mergePieces(new Map([["aaaa", 2]]), ["a", "##a"], { count: 5 }), [
    "##aa",
    "aaa",
    "aaaa",
  ]);
});

/** The same by counting everything anew at each step. */
function mergeSlowly(
  words: ReadonlyMap<string, number>,
  alphabet: readonly string[],
  count: number,
) {
  const pieces = [...alphabet];
  const split = [...words].map(([word, n]) => ({
    ids: [...word].map((c, at) => pieces.indexOf(at === 0 ? c : "##" + c)),
    n,
  }));
  while (pieces.length < alphabet.length + count) {
    const counts = new Map<string, number>();
    for (const { ids, n } of split) {
      for (let at = 1; at < ids.length; at++) {
        const pair = `${ids[at - 1]} ${ids[at]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + n);
      }
    }
    const ranked = [...counts].map(([pair, n]) => ({ pair: pair.split(" ").map(Number), n }))
      .sort((a, b) =>
        b.n - a.n || (a.pair[0] ?? 0) - (b.pair[0] ?? 0) || (a.pair[1] ?? 0) - (b.pair[1] ?? 0)
      );
    const best = ranked[0];
    if (best === undefined || best.n < 2) break;
    const [left = 0, right = 0] = best.pair;
    const merged = (pieces[left] ?? "") + (pieces[right] ?? "").slice(2);
    if (!pieces.includes(merged)) pieces.push(merged);
    for (const word of split) {
      for (let at = 0; at + 1 < word.ids.length; at++) {
        if (word.ids[at] !== left || word.ids[at + 1] !== right) continue;
        word.ids.splice(at, 2, pieces.indexOf(merged));
      }
    }
  }
  return pieces.slice(alphabet.length);
}

Deno.test("mergePieces() keeps its counts right: the same as counting anew at each step", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 9 });
  const words = fc.array(fc.tuple(word, fc.integer({ min: 1, max: 5 })), { maxLength: 25 });
  const alphabet = ["a", "b", "c", "##a", "##b", "##c"];
  fc.assert(
    fc.property(words, fc.nat(30), (pairs, count) => {
      const counts = new Map(pairs);
      deepStrictEqual(
        mergePieces(counts, alphabet, { count }),
        mergeSlowly(counts, alphabet, count),
      );
    }),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("learnVocabulary() makes the committed tokenizer again, whatever the order of texts", () => {
  const options = { size: 640, lowercase: true };
  const files = learnVocabulary(SENTENCES, options);
  deepStrictEqual(files.json, TOKENIZER.json);
  deepStrictEqual(learnVocabulary(SENTENCES.toReversed(), options), files);
  deepStrictEqual(piecesOf(files).slice(0, 5), [...SPECIAL_PIECES]);
});

Deno.test("learnVocabulary() leaves no word of its texts unknown, nor new names in their letters", () => {
  const { json, config } = learnVocabulary(["Only 東京 and “quotes” here"], {
    size: 200,
    lowercase: true,
  });
  const tokenizer = tokenizerFromJson(json, config);
  for (const text of ["Only 東京 and “quotes” here", "Zbigniew Xquz 1234567890", "京東"]) {
    strictEqual(tokenizer.encodeText(text).includes(tokenizer.ids.unk), false, text);
  }
  // ideographs and marks stand alone, so "##" before them would never be used
  const pieces = piecesOf({ json, config });
  deepStrictEqual(["##東", "##“"].filter((piece) => pieces.includes(piece)), []);
  strictEqual(pieces.includes("##z"), true);
});

Deno.test("learnVocabulary() keeps case where asked", () => {
  const { json, config } = learnVocabulary(["Ab Ab ÄB"], { size: 200, lowercase: false });
  const tokenizer = tokenizerFromJson(json, config);
  deepStrictEqual([...tokenizer.encodeText("Ab ÄB")].map((id) => tokenizer.piece(id)), [
    "Ab",
    "Ä",
    "##B",
  ]);
  strictEqual(config["do_lower_case"], false);
});

Deno.test("learnVocabulary() says how many pieces the characters alone take", () => {
  // 5 special pieces, 26 letters and 10 digits, each alone and with "##"
  throws(() => learnVocabulary(["abc"], { size: 76, lowercase: true }), {
    name: "RangeError",
    message:
      "Cannot learn vocabulary as size must be a whole number from 77, for the characters of " +
      "the texts alone: current value is 76",
  });
});
