import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { SPECIAL_TOKENS } from "@/text/bert_tokenizer_json.ts";
import { learnVocabulary, mergeTokens } from "@/text/vocabulary.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { SENTENCES } from "./sentences.ts";
import { TOKENIZER } from "./fixture_tokenizer.ts";

/** The tokens of a learned vocabulary, ordered by id. */
function tokensOf(files: ReturnType<typeof learnVocabulary>): string[] {
  const { vocab } = files.json["model"] as { vocab: Record<string, number> };
  return Object.entries(vocab).sort(([, a], [, b]) => a - b).map(([token]) => token);
}

Deno.test("mergeTokens() merges the most frequent neighbors first", () => {
  // hug ×10, pug ×5, pun ×12, bun ×4, hugs ×5, the example of Hugging Face's course on BPE:
  // u+g 20 → ug; u+n 16 → un; h+ug 15 → hug; then p+un 12 → pun
  const words = new Map([["hug", 10], ["pug", 5], ["pun", 12], ["bun", 4], ["hugs", 5]]);
  const alphabet = ["b", "h", "p", "##g", "##n", "##s", "##u"];
  deepStrictEqual(mergeTokens(words, alphabet, { count: 4 }), ["##ug", "##un", "hug", "pun"]);
});

Deno.test("mergeTokens() stops when no pair occurs twice, and handles overlapping pairs", () => {
  deepStrictEqual(mergeTokens(new Map([["ab", 1]]), ["a", "##b"], { count: 5 }), []);
  // aaaa ×2 is a ##a ##a ##a. The pair ##a+##a occurs 4 times, at two overlapping positions; a+##a occurs twice.
  // Merging the first position gives a ##aa ##a with two pairs that occur twice. The one with lower ids wins: a+##aa
  deepStrictEqual(mergeTokens(new Map([["aaaa", 2]]), ["a", "##a"], { count: 5 }), [
    "##aa",
    "aaa",
    "aaaa",
  ]);
});

/** Reference implementation: counts all pairs again at each step. */
function mergeSlowly(
  words: ReadonlyMap<string, number>,
  alphabet: readonly string[],
  count: number,
) {
  const tokens = [...alphabet];
  const split = [...words].map(([word, n]) => ({
    ids: [...word].map((c, at) => tokens.indexOf(at === 0 ? c : "##" + c)),
    n,
  }));
  while (tokens.length < alphabet.length + count) {
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
    const merged = (tokens[left] ?? "") + (tokens[right] ?? "").slice(2);
    if (!tokens.includes(merged)) tokens.push(merged);
    for (const word of split) {
      for (let at = 0; at + 1 < word.ids.length; at++) {
        if (word.ids[at] !== left || word.ids[at + 1] !== right) continue;
        word.ids.splice(at, 2, tokens.indexOf(merged));
      }
    }
  }
  return tokens.slice(alphabet.length);
}

Deno.test("mergeTokens() returns the same as a reference that recounts all pairs at each step", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 9 });
  const words = fc.array(fc.tuple(word, fc.integer({ min: 1, max: 5 })), { maxLength: 25 });
  const alphabet = ["a", "b", "c", "##a", "##b", "##c"];
  fc.assert(
    fc.property(words, fc.nat(30), (pairs, count) => {
      const counts = new Map(pairs);
      deepStrictEqual(
        mergeTokens(counts, alphabet, { count }),
        mergeSlowly(counts, alphabet, count),
      );
    }),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("learnVocabulary() reproduces the committed tokenizer, independent of the order of texts", () => {
  const options = { size: 640, lowercase: true };
  const files = learnVocabulary(SENTENCES, options);
  deepStrictEqual(files.json, TOKENIZER.json);
  deepStrictEqual(learnVocabulary(SENTENCES.toReversed(), options), files);
  deepStrictEqual(tokensOf(files).slice(0, 5), [...SPECIAL_TOKENS]);
});

Deno.test("learnVocabulary(): no word of the texts, and no new word of the same letters, becomes [UNK]", () => {
  const { json, config } = learnVocabulary(["Only 東京 and “quotes” here"], {
    size: 200,
    lowercase: true,
  });
  const tokenizer = tokenizerFromJson(json, config);
  for (const text of ["Only 東京 and “quotes” here", "Zbigniew Xquz 1234567890", "京東"]) {
    strictEqual(tokenizer.encodeText(text).includes(tokenizer.ids.unk), false, text);
  }
  // repeated ideographs and marks are separate words, so "##" before them would never be used
  const tokens = tokensOf({ json, config });
  deepStrictEqual(["##東", "##“"].filter((token) => tokens.includes(token)), []);
  strictEqual(tokens.includes("##z"), true);
});

Deno.test("learnVocabulary() keeps case without lowercase", () => {
  const { json, config } = learnVocabulary(["Ab Ab ÄB"], { size: 200, lowercase: false });
  const tokenizer = tokenizerFromJson(json, config);
  deepStrictEqual([...tokenizer.encodeText("Ab ÄB")].map((id) => tokenizer.token(id)), [
    "Ab",
    "Ä",
    "##B",
  ]);
  strictEqual(config["do_lower_case"], false);
});

Deno.test("learnVocabulary() reports the smallest possible size", () => {
  // 5 special tokens, 26 letters and 10 digits, each alone and with "##"
  throws(() => learnVocabulary(["abc"], { size: 76, lowercase: true }), {
    name: "RangeError",
    message:
      "Cannot learn vocabulary: size must be an integer of at least 77 to include all characters of " +
      "the texts, but is 76",
  });
});
