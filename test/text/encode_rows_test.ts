import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import type { TaggedRow } from "@/data/rows.ts";
import { buildTokenizerFiles, SPECIAL_TOKENS } from "@/text/bert_tokenizer_json.ts";
import { type EncodeOptions, encodeRows, planWindows, readTags } from "@/text/encode_rows.ts";
import { type Example, IGNORED } from "@/text/example.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { TOKENIZER } from "./fixture_tokenizer.ts";

const HAND = ["the", "re", "##port", "##ed", "station", "railway"];
const SMALL = tokenizerFromJson(
  buildTokenizerFiles([...SPECIAL_TOKENS, ...HAND], { lowercase: true }).json,
);
const TAGGING = { tokenizer: SMALL, kind: "tagging", windows: "cut", prompt: "" } as const;
const tokensOf = (ids: Int32Array) => [...ids].map((id) => SMALL.token(id));

const ROW: TaggedRow = { tokens: ["the", "reported", "station"], tags: [0, 3, 5] };

Deno.test("the premise of these tests: the tokens of each word", () => {
  deepStrictEqual(tokensOf(SMALL.encodeWords(ROW.tokens).ids), [
    "the",
    "re",
    "##port",
    "##ed",
    "station",
  ]);
});

Deno.test("encodeRows() adds [CLS] and [SEP] to a text and truncates it to the limit", () => {
  const rows = [{ text: "The railway station", label: 2 }, { text: "", label: 0 }];
  const { examples, cutRows, cutWords } = encodeRows(rows, {
    tokenizer: SMALL,
    kind: "classification",
    maxLength: 4,
    windows: "overlap",
    prompt: "",
  });
  deepStrictEqual(examples.map(({ ids }) => tokensOf(ids)), [
    ["[CLS]", "the", "railway", "[SEP]"],
    ["[CLS]", "[SEP]"],
  ]);
  deepStrictEqual(examples.map(({ labels }) => [...labels]), [[2], [0]]);
  deepStrictEqual(examples.map(({ row, words }) => [row, words]), [[0, undefined], [1, undefined]]);
  deepStrictEqual({ cutRows, cutWords }, { cutRows: 1, cutWords: 0 });
});

Deno.test("encodeRows() puts a word's tag on its first token only", () => {
  const { examples } = encodeRows([ROW], { ...TAGGING, maxLength: 16 });
  deepStrictEqual(
    examples.map(({ ids, labels, words }) => [[...ids].length, [...labels], [...words ?? []]]),
    [
      // [CLS] the re ##port ##ed station [SEP]
      [7, [-1, 0, 3, -1, -1, 5, -1], [-1, 0, 1, -1, -1, 2, -1]],
    ],
  );
});

Deno.test("encodeRows() truncates a tagged row and counts the words it dropped", () => {
  // room for 3 tokens: "reported" loses its last one but keeps its tag, "station" is cut
  const { examples, cutWords, cutRows } = encodeRows([ROW, ROW], { ...TAGGING, maxLength: 5 });
  deepStrictEqual(examples.map(({ labels }) => [...labels]), [
    [-1, 0, 3, -1, -1],
    [-1, 0, 3, -1, -1],
  ]);
  deepStrictEqual({ cutWords, cutRows }, { cutWords: 2, cutRows: 2 });
});

Deno.test("encodeRows() labels every word exactly once in overlapping windows", () => {
  const { examples, cutWords, cutRows } = encodeRows([ROW], {
    ...TAGGING,
    maxLength: 6,
    windows: "overlap",
  });
  deepStrictEqual(examples.map(({ ids }) => tokensOf(ids)), [
    ["[CLS]", "the", "re", "##port", "##ed", "[SEP]"],
    ["[CLS]", "re", "##port", "##ed", "station", "[SEP]"],
  ]);
  deepStrictEqual(examples.map(({ words }) => [...words ?? []]), [
    [-1, 0, 1, -1, -1, -1],
    [-1, -1, -1, -1, 2, -1],
  ]);
  deepStrictEqual({ cutWords, cutRows }, { cutWords: 0, cutRows: 0 });
});

Deno.test("encodeRows() keeps the first tokens of a word that exceeds a window", () => {
  const { examples } = encodeRows([{ tokens: ["reported"], tags: [4] }], {
    ...TAGGING,
    maxLength: 4,
    windows: "overlap",
  });
  deepStrictEqual(examples.map(({ ids, labels }) => [tokensOf(ids), [...labels]]), [
    [["[CLS]", "re", "##port", "[SEP]"], [-1, 4, -1, -1]],
  ]);
});

const ANY = { ...TAGGING, tokenizer: TOKENIZER };
const word = fc.constantFrom(
  "the",
  "reported",
  "\u0007",
  "東京",
  "x".repeat(101),
  "U.S.-led",
  "é",
  "",
);
const row = fc.array(fc.tuple(word, fc.nat(8)), { maxLength: 40 }).map((pairs): TaggedRow => ({
  tokens: pairs.map(([token]) => token),
  tags: pairs.map(([, tag]) => tag),
}));

Deno.test("readTags(encodeRows()) with gold labels is the identity in overlapping windows", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), fc.integer({ min: 3, max: 20 }), (rows, n) => {
      const { examples } = encodeRows(rows, { ...ANY, maxLength: n, windows: "overlap" });
      for (const { ids } of examples) strictEqual(ids.length <= n, true);
      const gold = examples.map(({ labels }) => [...labels]);
      deepStrictEqual(readTags(examples, gold, rows), rows.map(({ tags }) => [...tags]));
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("readTags(encodeRows()) of truncated rows misses exactly the counted words", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), fc.integer({ min: 3, max: 20 }), (rows, n) => {
      const { examples, cutWords } = encodeRows(rows, { ...ANY, maxLength: n });
      const ones = examples.map(({ ids }) => new Array<number>(ids.length).fill(7));
      const tags = readTags(examples, ones, rows, { unread: 99 });
      strictEqual(tags.flat().filter((tag) => tag === 99).length, cutWords);
      deepStrictEqual(tags.map((found) => found.length), rows.map(({ tokens }) => tokens.length));
    }),
    { seed: 2, numRuns: 200 },
  );
});

Deno.test("encodeRows() prepends the prompt to a text and to each window of a tagged row", () => {
  const text = encodeRows([{ text: "ported station", label: 1 }], {
    ...{ ...TAGGING, kind: "classification", prompt: "the re" },
    maxLength: 5,
  });
  // "the re" + "ported station": the prompt is tokenized and truncated together with the text
  deepStrictEqual(text.examples.map(({ ids }) => tokensOf(ids)), [
    ["[CLS]", "the", "re", "##port", "[SEP]"],
  ]);
  strictEqual(text.cutRows, 1);
  const tagged = encodeRows([{ tokens: ["reported", "the", "station"], tags: [4, 0, 5] }], {
    ...{ ...TAGGING, windows: "overlap", prompt: "railway " },
    maxLength: 6,
  });
  // 6 − [CLS] − [SEP] − "railway" leaves 3 tokens for the words of a window
  deepStrictEqual(
    tagged.examples.map(({ ids, labels, words = [] }) => [tokensOf(ids), [...labels], [...words]]),
    [
      [
        ["[CLS]", "railway", "re", "##port", "##ed", "[SEP]"],
        [-1, -1, 4, -1, -1, -1],
        [-1, -1, 0, -1, -1, -1],
      ],
      [["[CLS]", "railway", "the", "station", "[SEP]"], [-1, -1, 0, 5, -1], [-1, -1, 1, 2, -1]],
    ],
  );
});

Deno.test("readTags(encodeRows()) with gold labels is the identity with a prompt", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), fc.integer({ min: 6, max: 20 }), (rows, n) => {
      const prompt = "the railway the ";
      const { examples } = encodeRows(rows, { ...ANY, maxLength: n, windows: "overlap", prompt });
      for (const { ids } of examples) strictEqual(ids.length <= n, true);
      const gold = examples.map(({ labels }) => [...labels]);
      deepStrictEqual(readTags(examples, gold, rows), rows.map(({ tags }) => [...tags]));
    }),
    { seed: 3, numRuns: 100 },
  );
});

Deno.test("readTags() ignores predictions at padding, special tokens and all but the first token of a word", () => {
  const { examples } = encodeRows([ROW], { ...TAGGING, maxLength: 16 });
  //                   [CLS] the re ##port ##ed station [SEP] pad pad
  const predicted = [[8, 1, 2, 8, 8, 3, 8, 8, 8]];
  deepStrictEqual(readTags(examples, predicted, [ROW]), [[1, 2, 3]]);
});

Deno.test("encodeRows() and readTags() reject invalid arguments", () => {
  const refuse = (
    rows: Parameters<typeof encodeRows>[0],
    options: EncodeOptions,
    message: string,
  ) => throws(() => encodeRows(rows, options), { message });
  refuse(
    [ROW],
    { ...TAGGING, maxLength: 5, prompt: "the railway the" },
    'Cannot encode row 0: the prompt "the railway the" has 3 tokens and leaves no room for a word in 5',
  );
  refuse(
    [],
    { ...TAGGING, maxLength: 2 },
    "Cannot encode rows: maxLength must be an integer of at least 3, but is 2",
  );
  refuse(
    [ROW, { text: "a", label: 0 }],
    { ...TAGGING, maxLength: 9 },
    "Cannot encode row 1 for a tagging task: its fields are text, label",
  );
  refuse(
    [{ tokens: ["a", "b"], tags: [0] }],
    { ...TAGGING, maxLength: 9 },
    "Cannot encode row 0: it must have as many tags as words, but has 2 words and 1 tags",
  );
  const example: Example = {
    row: 0,
    ids: Int32Array.of(2, 9, 3),
    labels: Int32Array.of(IGNORED, 0, IGNORED),
    words: Int32Array.of(IGNORED, 0, IGNORED),
  };
  throws(() => readTags([example], [], [ROW]), {
    message:
      "Cannot read tags: there must be as many predictions as examples, but there are 1 examples and 0 predictions",
  });
  throws(() => readTags([example], [[1, 2]], [ROW]), {
    message: "Cannot read tags of example 0: it has 3 tokens, but 2 tags",
  });
});

Deno.test("planWindows() uses one window for a row that fits", () => {
  deepStrictEqual(planWindows([1, 2, 3], 6), [{ start: 0, end: 3, from: 0, to: 3 }]);
  deepStrictEqual(planWindows([], 6), [{ start: 0, end: 0, from: 0, to: 0 }]);
});

Deno.test("planWindows() assigns shared words to the window with more context", () => {
  // 10 words of 1 token, 4 per window: neighbors share 2 words, and each predicts one of them
  deepStrictEqual(planWindows(new Array(10).fill(1), 4), [
    { start: 0, end: 4, from: 0, to: 3 },
    { start: 2, end: 6, from: 3, to: 5 },
    { start: 4, end: 8, from: 5, to: 7 },
    { start: 6, end: 10, from: 7, to: 10 },
  ]);
  // the last window starts as early as it can: 5 words, 4 per window, 3 shared. The middle shared word has
  // equal context in both windows
  deepStrictEqual(planWindows([1, 1, 1, 1, 1], 4), [
    { start: 0, end: 4, from: 0, to: 3 },
    { start: 1, end: 5, from: 3, to: 5 },
  ]);
});

Deno.test("planWindows() gives a word that exceeds a window its own window", () => {
  deepStrictEqual(planWindows([2, 9, 2], 4), [
    { start: 0, end: 1, from: 0, to: 1 },
    { start: 1, end: 2, from: 1, to: 2 },
    { start: 2, end: 3, from: 2, to: 3 },
  ]);
});

const words = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 12 })), {
  maxLength: 80,
});

Deno.test("planWindows() assigns each word to exactly one window, which contains all of its tokens", () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 24 }), (sizes, capacity) => {
      const windows = planWindows(sizes, capacity);
      const answered = windows.flatMap(({ from, to }) =>
        Array.from({ length: to - from }, (_, offset) => from + offset)
      );
      deepStrictEqual(answered, sizes.map((_, word) => word));
      for (const { start, end, from, to } of windows) {
        strictEqual(start <= from && to <= end, true);
        const tokens = sizes.slice(start, end).reduce((sum, size) => sum + size, 0);
        strictEqual(tokens <= capacity || end - start === 1, true);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("planWindows() leaves context on both sides if words are small", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 8, max: 40 }), (n, c) => {
      const windows = planWindows(new Array(n).fill(1), c);
      const margin = Math.floor(c / 4) - 1; // half of the shared words
      windows.forEach(({ start, end, from, to }, index) => {
        if (index > 0) strictEqual(from - start >= margin, true, `left of ${from}`);
        if (index < windows.length - 1) strictEqual(end - to >= margin, true, `right of ${to}`);
      });
    }),
    { seed: 2 },
  );
});
