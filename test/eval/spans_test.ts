import { deepStrictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { listEntities, type Span, SPAN_RULES, spans } from "@/eval/spans.ts";

const TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"] as const;

/** Spans in short form: `PER 0-2`. */
const shorten = (found: readonly Span[]) =>
  found.map(({ type, start, end }) => `${type} ${start}-${end}`);

/** BIO tags of spans that do not overlap. */
function tagSpans(found: readonly Span[], length: number): string[] {
  const tags = Array.from({ length }, () => "O");
  for (const { type, start, end } of found) {
    tags.fill(`I-${type}`, start, end);
    tags[start] = `B-${type}`;
  }
  return tags;
}

// conlleval: traced by hand through its startOfChunk and endOfChunk. strict: only B- begins, and only I- of the same type continues.
const CASES: [tags: string, conlleval: string[], strict: string[]][] = [
  ["", [], []],
  ["O O", [], []],
  ["B-PER I-PER O", ["PER 0-2"], ["PER 0-2"]],
  ["O B-PER I-PER", ["PER 1-3"], ["PER 1-3"]], // an entity that ends the sentence
  ["I-PER I-PER O", ["PER 0-2"], []], // I- at the start begins an entity
  ["O I-PER B-PER", ["PER 1-2", "PER 2-3"], ["PER 2-3"]],
  ["B-PER B-PER I-PER", ["PER 0-1", "PER 1-3"], ["PER 0-1", "PER 1-3"]],
  ["B-PER I-LOC I-LOC", ["PER 0-1", "LOC 1-3"], ["PER 0-1"]], // another type begins a new entity
  ["I-PER I-LOC I-PER", ["PER 0-1", "LOC 1-2", "PER 2-3"], []],
  ["B-PER O I-PER", ["PER 0-1", "PER 2-3"], ["PER 0-1"]], // O ends the entity, I- begins another
  ["B-PER I-LOC B-LOC I-LOC", ["PER 0-1", "LOC 1-2", "LOC 2-4"], ["PER 0-1", "LOC 2-4"]],
];

for (const [tags, conlleval, strict] of CASES) {
  Deno.test(`spans() of "${tags}" follows conlleval and strict IOB2`, () => {
    const words = tags === "" ? [] : tags.split(" ");
    deepStrictEqual(shorten(spans(words, "conlleval")), conlleval);
    deepStrictEqual(shorten(spans(words, "strict")), strict);
  });
}

Deno.test("spans() restores the spans that tags were built from, under both rules", () => {
  const tags = fc.array(fc.constantFrom(...TAGS), { maxLength: 12 });
  fc.assert(fc.property(tags, fc.constantFrom(...SPAN_RULES), (noise, rule) => {
    const found = spans(noise, rule);
    const clean = tagSpans(found, noise.length);
    for (const each of SPAN_RULES) deepStrictEqual(spans(clean, each), found);
  }));
});

Deno.test("spans() finds every strict entity under conlleval's rules too", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom(...TAGS), { maxLength: 12 }), (tags) => {
    const loose = new Set(shorten(spans(tags, "conlleval")));
    deepStrictEqual(shorten(spans(tags, "strict")).filter((span) => !loose.has(span)), []);
  }));
});

Deno.test("spans() refuses a label that is not a BIO tag", () => {
  for (const tag of ["E-PER", "B", "I-", "BPER", ""]) {
    throws(() => spans(["O", tag], "conlleval"), {
      name: "SyntaxError",
      message: `Cannot read entities: a tag must be O, B-TYPE or I-TYPE, but one is "${tag}"`,
    });
  }
});

Deno.test("listEntities() returns each entity with its words and its row", () => {
  const labels = ["O", "B-PER", "I-PER", "B-LOC"];
  const rows = [
    { tokens: ["Rain", "fell"], tags: [0, 0] },
    { text: "of another task", label: 0 },
    { tokens: ["Ada", "Lovelace", "left", "London"], tags: [1, 2, 0, 3] },
  ];
  deepStrictEqual(listEntities(rows, labels), [
    { type: "PER", text: "Ada Lovelace", words: 2, row: 2 },
    { type: "LOC", text: "London", words: 1, row: 2 },
  ]);
});
