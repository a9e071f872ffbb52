import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { countSpans } from "@/eval/entities.ts";
import { countEntityErrors, ERROR_KINDS, findEntityErrors } from "@/eval/entity_errors.ts";
import { spans } from "@/eval/spans.ts";

/** Errors as text: category, gold and predicted span. */
function describe(gold: string, predicted: string): string[] {
  const text = (span: { type: string; start: number; end: number } | null) =>
    span === null ? "-" : `${span.type} ${span.start}-${span.end}`;
  return findEntityErrors(gold.split(" "), predicted.split(" "))
    .map((error) => `${error.kind}: ${text(error.gold)} / ${text(error.predicted)}`);
}

const CASES: readonly (readonly [
  name: string,
  gold: string,
  predicted: string,
  errors: readonly string[],
])[] = [
  ["matching entities", "B-PER I-PER O B-LOC", "B-PER I-PER O I-LOC", []],
  ["a type error", "B-PER I-PER O", "B-ORG I-ORG O", ["type: PER 0-2 / ORG 0-2"]],
  ["an end too early", "B-PER I-PER O", "B-PER O O", ["boundary: PER 0-2 / PER 0-1"]],
  ["a start too early", "O B-PER O", "B-PER I-PER O", ["boundary: PER 1-2 / PER 0-2"]],
  ["different bounds and type", "O B-PER I-PER", "B-LOC I-LOC O", ["both: PER 1-3 / LOC 0-2"]],
  ["a missed entity", "O B-PER I-PER", "O O O", ["missed: PER 1-3 / -"]],
  ["an invented entity", "O O O", "O B-PER I-PER", ["invented: - / PER 1-3"]],
  ["neighbors that only touch", "B-PER O", "O B-PER", [
    "missed: PER 0-1 / -",
    "invented: - / PER 1-2",
  ]],
  [ // the first half is paired, the second is not
    "one entity split in two",
    "B-PER I-PER I-PER",
    "B-PER B-PER I-PER",
    ["boundary: PER 0-3 / PER 0-1", "invented: - / PER 1-3"],
  ],
  [
    "two entities merged into one",
    "B-PER B-PER I-PER",
    "B-PER I-PER I-PER",
    ["boundary: PER 0-1 / PER 0-3", "missed: PER 1-3 / -"],
  ],
  [ // ORG overlaps both; it pairs with the gold entity of its type, though that is further right
    "the same type preferred to another",
    "B-PER I-PER B-ORG I-ORG",
    "O B-ORG I-ORG I-ORG",
    ["boundary: ORG 2-4 / ORG 1-4", "missed: PER 0-2 / -"],
  ],
  [ // LOC 2-3 is correct and already paired, so PER pairs with ORG
    "a correct entity that cannot be paired again",
    "B-PER I-PER B-LOC O",
    "O B-ORG B-LOC O",
    ["both: PER 0-2 / ORG 1-2"],
  ],
  [ // PER takes PER 0-2; PER 2-6 is left for LOC
    "unpaired entities of different types",
    "B-PER I-PER I-PER I-PER B-LOC I-LOC I-LOC",
    "B-PER I-PER B-PER I-PER I-PER I-PER O",
    ["boundary: PER 0-4 / PER 0-2", "both: LOC 4-7 / PER 2-6"],
  ],
  ["a split by type only", "B-PER I-PER", "B-PER I-ORG", [
    "boundary: PER 0-2 / PER 0-1",
    "invented: - / ORG 1-2",
  ]],
];

for (const [name, gold, predicted, errors] of CASES) {
  Deno.test(`findEntityErrors() with ${name}`, () => {
    deepStrictEqual(describe(gold, predicted), errors);
  });
}

Deno.test("countEntityErrors() counts by gold type, and invented entities by predicted type", () => {
  const split = (tags: string) => tags.split(" ");
  const errors = countEntityErrors(
    ["B-PER I-PER O B-LOC", "B-ORG I-ORG O O", "O B-PER O B-LOC", "O O O O"].map(split),
    ["B-PER I-PER O O", "B-ORG O O O", "O B-LOC O B-LOC", "O I-ORG I-ORG O"].map(split),
  );
  const none = { boundary: 0, type: 0, both: 0, missed: 0, invented: 0 };
  deepStrictEqual(errors, {
    ...{ boundary: 1, type: 1, both: 0, missed: 1, invented: 1 },
    perType: {
      LOC: { ...none, missed: 1 },
      ORG: { ...none, boundary: 1, invented: 1 },
      PER: { ...none, type: 1 }, // PER taken for LOC
    },
  });
  deepStrictEqual(Object.keys(errors.perType), ["LOC", "ORG", "PER"]);
});

const TAGS = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"] as const;
const pair = fc.array(fc.tuple(fc.constantFrom(...TAGS), fc.constantFrom(...TAGS)), {
  minLength: 1,
  maxLength: 14,
}).map((words) => [words.map(([gold]) => gold), words.map(([, given]) => given)] as const);

Deno.test("countEntityErrors() counts every gold and every predicted entity once", () => {
  fc.assert(
    fc.property(pair, ([gold, predicted]) => {
      const counts = [...countSpans(gold, predicted, "conlleval").values()];
      const sum = (key: "correct" | "gold" | "predicted") =>
        counts.reduce((total, count) => total + count[key], 0);
      const { boundary, type, both, missed, invented } = countEntityErrors([gold], [predicted]);
      const paired = sum("correct") + boundary + type + both;
      deepStrictEqual([paired + missed, paired + invented], [sum("gold"), sum("predicted")]);
    }),
    { numRuns: 500 },
  );
});

Deno.test("swapping gold and predicted swaps missed and invented and keeps the other errors", () => {
  fc.assert(
    fc.property(pair, ([gold, predicted]) => {
      const there = countEntityErrors([gold], [predicted]);
      const back = countEntityErrors([predicted], [gold]);
      deepStrictEqual(
        ERROR_KINDS.map((kind) => there[kind]),
        [back.boundary, back.type, back.both, back.invented, back.missed],
      );
    }),
    { numRuns: 500 },
  );
});

Deno.test("no other pairing yields more boundary pairs (brute force)", () => {
  /** Maximum number of pairs of overlapping spans of the same type, each span used once. */
  const most = (gold: readonly [number, number][], given: readonly [number, number][]): number => {
    const [first, ...rest] = gold;
    if (first === undefined) return 0;
    return Math.max(
      most(rest, given),
      ...given.map((span, i) =>
        first[0] < span[1] && span[0] < first[1] ? 1 + most(rest, given.toSpliced(i, 1)) : 0
      ),
    );
  };
  let seen = 0;
  fc.assert(
    fc.property(pair, ([gold, predicted]) => {
      // a single type, so that pairs are either exact or boundary errors
      const one = (tags: readonly string[]) => tags.map((tag) => tag.replace("LOC", "PER"));
      const bounds = (tags: readonly string[]) =>
        spans(one(tags), "conlleval").map(({ start, end }): [number, number] => [start, end]);
      const there = bounds(gold), given = bounds(predicted);
      const right = there.filter((a) => given.some((b) => a[0] === b[0] && a[1] === b[1]));
      const left = (list: [number, number][]) =>
        list.filter((a) => !right.some((b) => a[0] === b[0] && a[1] === b[1]));
      const { boundary, type, both } = countEntityErrors([one(gold)], [one(predicted)]);
      deepStrictEqual([type, both], [0, 0]);
      strictEqual(boundary, most(left(there), left(given)));
      seen += boundary;
    }),
    { numRuns: 300 },
  );
  ok(seen > 100, `only ${seen} boundary errors were seen`);
});
