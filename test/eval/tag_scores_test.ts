import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { formatConlleval } from "@/eval/entities.ts";
import { scoreEntities } from "@/eval/entities.ts";
import { spans } from "@/eval/spans.ts";
import fixture from "../fixtures/tag_scores.json" with { type: "json" };
import { makeBatch } from "./tag_sequences.ts";

const { made, batches } = fixture;

/** Asserts equality up to rounding. */
function near(actual: readonly number[], expected: readonly number[], what: string): void {
  strictEqual(actual.length, expected.length, what);
  actual.forEach((value, i) =>
    ok(Math.abs(value - (expected[i] ?? NaN)) < 1e-12, `${what}: ${actual} is not ${expected}`)
  );
}

Deno.test(`scoreEntities() matches seqeval ${made.seqeval} on 5,000 random sequences, under both rules`, () => {
  let sentences = 0, malformed = 0;
  batches.forEach(({ conlleval, strict, tokenAccuracy }, batch) => {
    const { gold, predicted } = makeBatch(batch, made.sentences);
    const scores = scoreEntities({ gold, predicted }, { resamples: 1 });
    const { precision, recall, f1, strictPrecision, strictRecall, strictF1 } = scores;
    near([precision, recall, f1], conlleval.all, `batch ${batch}`);
    near([strictPrecision, strictRecall, strictF1], strict.all, `batch ${batch}, strict`);
    near([scores.tokenAccuracy], [tokenAccuracy], `token accuracy of batch ${batch}`);
    deepStrictEqual(Object.keys(scores.perType), Object.keys(conlleval.perType).sort());
    for (const type of ["LOC", "ORG", "PER"] as const) {
      const own = scores.perType[type];
      ok(own !== undefined);
      near(
        [own.precision, own.recall, own.f1, own.support],
        conlleval.perType[type],
        `${type} of batch ${batch}`,
      );
      near([own.strictF1], strict.perType[type].slice(2, 3), `strict ${type} of batch ${batch}`);
    }
    for (const tags of predicted) {
      sentences++;
      const [loose, exact] = (["conlleval", "strict"] as const).map((rule) => spans(tags, rule));
      if (JSON.stringify(loose) !== JSON.stringify(exact)) malformed++;
    }
  });
  // precondition: thousands of sentences, most of them read differently by the two rules
  strictEqual(sentences, 5000);
  ok(malformed > 2500, `only ${malformed} sequences are malformed`);
});

Deno.test("formatConlleval() prints what conlleval.pl prints, byte for byte", () => {
  let compared = 0;
  batches.forEach(({ printed }, batch) => {
    if (printed === undefined) return;
    strictEqual(formatConlleval(makeBatch(batch, made.sentences)) + "\n", printed);
    compared++;
  });
  strictEqual(compared, 10);
});

Deno.test("formatConlleval() matches a hand-computed table and rounds halves to even, as C does", () => {
  const split = (tags: string) => tags.split(" ");
  strictEqual(
    formatConlleval({
      gold: ["B-PER I-PER O B-LOC", "B-ORG I-ORG O O", "O B-PER O B-LOC", "O O O O"].map(split),
      predicted: ["B-PER I-PER O I-LOC", "B-ORG O O O", "O B-LOC O B-LOC", "O I-ORG I-ORG O"]
        .map(split),
    }),
    // 11 of 16 tags are correct; entities as in the first test of scoreEntities()
    `processed 16 tokens with 5 phrases; found: 6 phrases; correct: 3.
accuracy:  68.75%; precision:  50.00%; recall:  60.00%; FB1:  54.55
              LOC: precision:  66.67%; recall: 100.00%; FB1:  80.00  3
              ORG: precision:   0.00%; recall:   0.00%; FB1:   0.00  2
              PER: precision: 100.00%; recall:  50.00%; FB1:  66.67  1`,
  );
  // 1 of 32 words is 3.125 %, rounded to the even 3.12
  const gold = [Array.from({ length: 32 }, () => "B-X")];
  const predicted = [["B-X", ...Array.from({ length: 31 }, () => "B-Y")]];
  ok(
    formatConlleval({ gold, predicted }).startsWith(
      `processed 32 tokens with 32 phrases; found: 32 phrases; correct: 1.
accuracy:   3.12%; precision:   3.12%; recall:   3.12%; FB1:   3.12
`,
    ),
  );
  strictEqual(
    formatConlleval({ gold: [], predicted: [] }),
    "processed 0 tokens with 0 phrases; found: 0 phrases; correct: 0.",
  );
});
