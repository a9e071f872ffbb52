import { deepStrictEqual, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { countSpans, type EntityScores, scoreEntities } from "@/eval/entities.ts";
import { shareInterval } from "@/statistics.ts";
import { spans } from "@/eval/spans.ts";
import parity from "../fixtures/entity_scores.json" with { type: "json" };

/** Asserts equality up to rounding. */
function near(actual: number, expected: number, what: string): void {
  ok(Math.abs(actual - expected) < 1e-12, `${what}: ${actual} is not ${expected}`);
}

const split = (tags: string) => tags.split(" ");

Deno.test("scoreEntities() matches values computed by hand with conlleval's rules", () => {
  const scores = scoreEntities({
    gold: [
      "B-PER I-PER O B-LOC", //   PER 0-2, LOC 3-4
      "B-ORG I-ORG O O", //       ORG 0-2
      "O B-PER O B-LOC", //       PER 1-2, LOC 3-4
      "O O O O", //               nothing
    ].map(split),
    predicted: [
      "B-PER I-PER O I-LOC", //   PER 0-2 correct; LOC 3-4 correct by conlleval, no entity in strict
      "B-ORG O O O", //           ORG 0-1 wrong: too short
      "O B-LOC O B-LOC", //       LOC 1-2 wrong type; LOC 3-4 correct
      "O I-ORG I-ORG O", //       ORG 1-3 invented; no entity in strict
    ].map(split),
  });
  // conlleval: correct 3 (PER, LOC, LOC) of 6 predicted and 5 gold
  near(scores.precision, 3 / 6, "precision");
  near(scores.recall, 3 / 5, "recall");
  near(scores.f1, 6 / 11, "f1");
  // strict: correct 2 (PER, LOC) of 4 predicted (PER, ORG, LOC, LOC) and 5 gold
  near(scores.strictPrecision, 2 / 4, "strict precision");
  near(scores.strictRecall, 2 / 5, "strict recall");
  near(scores.strictF1, 4 / 9, "strict f1");
  // 11 of 16 words; wrong: I-LOC, O for I-ORG, B-LOC for B-PER, I-ORG twice
  near(scores.tokenAccuracy, 11 / 16, "token accuracy");
  deepStrictEqual(scores.rows, 4);
  deepStrictEqual(scores.perType, {
    // 2 of 3 predicted, 2 gold: 2·2 / 5; strict 1 of 2 predicted: 2·1 / 4
    LOC: { precision: 2 / 3, recall: 1, f1: 4 / 5, strictF1: 1 / 2, support: 2 },
    // neither of the 2 predicted is correct
    ORG: { precision: 0, recall: 0, f1: 0, strictF1: 0, support: 1 },
    // 1 of 1 predicted, 2 gold: 2·1 / 3
    PER: { precision: 1, recall: 1 / 2, f1: 2 / 3, strictF1: 2 / 3, support: 2 },
  });
});

Deno.test("scoreEntities() returns 0 if a denominator is 0, as conlleval does", () => {
  const scores = scoreEntities({ gold: [["O", "O"]], predicted: [["O", "O"]] });
  const expected: EntityScores = {
    rows: 1,
    f1: 0,
    precision: 0,
    recall: 0,
    strictF1: 0,
    strictPrecision: 0,
    strictRecall: 0,
    tokenAccuracy: 1,
    interval: [0, 0],
    strictF1Interval: [0, 0],
    errors: { boundary: 0, type: 0, both: 0, missed: 0, invented: 0, perType: {} },
    perType: {},
  };
  deepStrictEqual(scores, expected);
});

Deno.test(`spans() and scoreEntities() agree with seqeval ${parity.made.seqeval} on random tags`, () => {
  let malformed = 0, sentences = 0;
  parity.groups.forEach((group, number) => {
    for (const sentence of group.sentences) {
      const tags = split(sentence.predicted);
      for (const rule of ["conlleval", "strict"] as const) {
        deepStrictEqual(
          spans(tags, rule).map(({ type, start, end }) => [type, start, end]),
          sentence[rule],
          `${rule}: ${sentence.predicted}`,
        );
      }
      sentences++;
      if (JSON.stringify(sentence.conlleval) !== JSON.stringify(sentence.strict)) malformed++;
    }
    const scores = scoreEntities({
      gold: group.sentences.map(({ gold }) => split(gold)),
      predicted: group.sentences.map(({ predicted }) => split(predicted)),
    }, { resamples: 10 });
    near(scores.precision, group.conlleval.precision, `precision of group ${number}`);
    near(scores.recall, group.conlleval.recall, `recall of group ${number}`);
    near(scores.f1, group.conlleval.f1, `f1 of group ${number}`);
    near(scores.strictPrecision, group.strict.precision, `strict precision of group ${number}`);
    near(scores.strictRecall, group.strict.recall, `strict recall of group ${number}`);
    near(scores.strictF1, group.strict.f1, `strict f1 of group ${number}`);
    near(scores.tokenAccuracy, group.tokenAccuracy, `token accuracy of group ${number}`);
    deepStrictEqual(Object.keys(scores.perType), Object.keys(group.conlleval.perType).sort());
    for (const type of ["LOC", "ORG", "PER"] as const) {
      const ours = scores.perType[type], theirs = group.conlleval.perType[type];
      deepStrictEqual(ours?.support, theirs.support);
      near(ours?.precision ?? NaN, theirs.precision, `precision of ${type}, group ${number}`);
      near(ours?.recall ?? NaN, theirs.recall, `recall of ${type}, group ${number}`);
      near(ours?.f1 ?? NaN, theirs.f1, `f1 of ${type}, group ${number}`);
      near(ours?.strictF1 ?? NaN, group.strict.perType[type].f1, `strict f1 of ${type}`);
    }
  });
  // precondition: many sequences, and the two rules differ on most of them
  deepStrictEqual(sentences, 400);
  ok(malformed > 200, `only ${malformed} sequences are malformed`);
});

const tags = fc.array(fc.constantFrom("O", "B-PER", "I-PER", "B-LOC", "I-LOC"), { maxLength: 8 });
const pairs = fc.array(
  tags.chain((gold) =>
    fc.tuple(
      fc.constant(gold),
      fc.array(fc.constantFrom("O", "B-PER", "I-LOC"), {
        minLength: gold.length,
        maxLength: gold.length,
      }),
    )
  ),
  { minLength: 1, maxLength: 6 },
);

Deno.test("swapping gold and predicted swaps precision and recall of scoreEntities()", () => {
  fc.assert(fc.property(pairs, (rows) => {
    const gold = rows.map(([a]) => a), predicted = rows.map(([, b]) => b);
    const there = scoreEntities({ gold, predicted }, { resamples: 5 });
    const back = scoreEntities({ gold: predicted, predicted: gold }, { resamples: 5 });
    deepStrictEqual([there.precision, there.recall], [back.recall, back.precision]);
    deepStrictEqual([there.f1, there.strictF1, there.tokenAccuracy], [
      back.f1,
      back.strictF1,
      back.tokenAccuracy,
    ]);
  }));
});

Deno.test("scoreEntities() does not depend on the order of sentences, except for its intervals", () => {
  fc.assert(fc.property(pairs, (rows) => {
    const score = (list: typeof rows) => {
      const { interval: _, strictF1Interval: __, ...rest } = scoreEntities({
        gold: list.map(([a]) => a),
        predicted: list.map(([, b]) => b),
      }, { resamples: 1 });
      return rest;
    };
    deepStrictEqual(score([...rows].reverse()), score(rows));
  }));
});

Deno.test("scoreEntities() has a binomial interval if each sentence is one entity", () => {
  // 200 sentences, 150 found and 50 with a wrong type: F1 = 2·150 / 400 equals the fraction found in every resample
  const gold = Array.from({ length: 200 }, () => ["B-PER"]);
  const predicted = gold.map((_, row) => [row < 150 ? "B-PER" : "B-LOC"]);
  const { f1, interval } = scoreEntities({ gold, predicted }, { seed: 7, resamples: 4000 });
  const exact = shareInterval(150, 200);
  near(f1, 0.75, "f1");
  ok(Math.abs(interval[0] - exact[0]) <= 0.01, `${interval} against ${exact}`);
  ok(Math.abs(interval[1] - exact[1]) <= 0.01, `${interval} against ${exact}`);
});

Deno.test("scoreEntities() returns the same interval for the same seed and another for another seed", () => {
  const gold = Array.from(
    { length: 30 },
    (_, row) => row % 3 ? ["B-PER", "O"] : ["B-LOC", "I-LOC"],
  );
  const predicted = gold.map((_, row) => row % 4 ? ["B-PER", "O"] : ["O", "B-LOC"]);
  const draw = (seed: number) =>
    scoreEntities({ gold, predicted }, { seed, resamples: 50 }).interval;
  deepStrictEqual(draw(3), draw(3));
  ok(JSON.stringify(draw(3)) !== JSON.stringify(draw(4)));
});

Deno.test("countSpans() counts spans by type under each rule", () => {
  const count = (rule: "conlleval" | "strict") =>
    Object.fromEntries(countSpans(["B-PER", "O", "B-LOC"], ["B-PER", "O", "I-LOC"], rule));
  const found = { correct: 1, predicted: 1, gold: 1 };
  deepStrictEqual(count("conlleval"), { PER: found, LOC: found });
  deepStrictEqual(count("strict"), { PER: found, LOC: { correct: 0, predicted: 0, gold: 1 } });
});

Deno.test("scoreEntities() returns data that survives a JSON round trip", () => {
  const scores = scoreEntities({ gold: [["B-PER"], ["O"]], predicted: [["B-PER"], ["I-LOC"]] });
  deepStrictEqual(JSON.parse(JSON.stringify(scores)), scores);
});

Deno.test("scoreEntities() refuses gold and predicted tags of different lengths", () => {
  throws(() => scoreEntities({ gold: [], predicted: [] }), {
    name: "RangeError",
    message: "Cannot score entities: there are no sentences",
  });
  throws(() => scoreEntities({ gold: [["O"]], predicted: [] }), {
    name: "RangeError",
    message: "Cannot score entities: predicted must have 1 sentences, but has 0",
  });
  throws(() => scoreEntities({ gold: [["O"], ["O", "O"]], predicted: [["O"], ["O"]] }), {
    name: "RangeError",
    message: "Cannot score entities: sentence 1 must have 2 predicted tags, but has 1",
  });
});
