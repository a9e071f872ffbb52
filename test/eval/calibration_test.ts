import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { scoreClassification } from "@/eval/classification.ts";
import { fitTemperature, scaleProbabilities } from "@/eval/calibration.ts";
import { stream } from "@/random.ts";

/** Rows of logits as probabilities [N, C]. */
function softmax(rows: readonly (readonly number[])[], temperature = 1): number[] {
  return rows.flatMap((logits) => {
    const weights = logits.map((logit) => Math.exp(logit / temperature));
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / total);
  });
}

/** Mean negative log-likelihood of `gold` at a temperature. */
function likelihood(
  gold: readonly number[],
  probabilities: readonly number[],
  temperature: number,
) {
  const scaled = scaleProbabilities(probabilities, { classes: 3, temperature });
  return -gold.reduce((sum, label, row) => sum + Math.log(scaled[row * 3 + label] ?? NaN), 0) /
    gold.length;
}

/** Logits from a normal distribution, and labels drawn from their softmax at `temperature`. */
function drawRows(rows: number, temperature: number) {
  const prng = stream(6, "rows");
  const logits = Array.from({ length: rows }, () => [0, 1, 2].map(() => 2 * prng.normal()));
  const gold = logits.map((row) => {
    const [a = 0, b = 0] = softmax([row], temperature);
    const draw = prng.uniform();
    return draw < a ? 0 : draw < a + b ? 1 : 2;
  });
  return { logits, gold };
}

Deno.test("scaleProbabilities() matches hand-computed values", () => {
  // logits ln 16, 0: at T = 2 they are ln 4, 0, so 4 : 1; at T = 1/2 they are ln 256, 0
  const given = [16 / 17, 1 / 17];
  const near = (found: Float64Array, expected: readonly number[]) =>
    expected.forEach((p, i) => ok(Math.abs((found[i] ?? NaN) - p) < 1e-12, `${found}`));
  near(scaleProbabilities(given, { classes: 2, temperature: 2 }), [0.8, 0.2]);
  near(scaleProbabilities(given, { classes: 2, temperature: 0.5 }), [256 / 257, 1 / 257]);
  near(scaleProbabilities(given, { classes: 2, temperature: 1 }), given);
});

Deno.test("scaleProbabilities() equals softmax(logits / T)", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -30, max: 30, noNaN: true }))), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.double({ min: 0.2, max: 10, noNaN: true }),
    (logits, temperature) => {
      const found = scaleProbabilities(softmax(logits), { classes: 3, temperature });
      softmax(logits, temperature).forEach((p, i) =>
        ok(Math.abs((found[i] ?? NaN) - p) < 1e-9, `${found[i]} is not ${p}`)
      );
    },
  ));
});

Deno.test("scaleProbabilities() accepts probabilities that were rounded to 0 or 1", () => {
  const found = scaleProbabilities([1, 0, 0], { classes: 3, temperature: 3 });
  ok(found.every(Number.isFinite) && Math.abs((found[0] ?? 0) - 1) < 1e-10, `${found}`);
});

Deno.test("fitTemperature() matches a hand-computed optimum", () => {
  // 3 of 4 rows are correct at odds 9 : 1; odds 3 : 1 have maximum likelihood, and 9^(1/T) = 3 at T = 2
  const probabilities = Array.from({ length: 4 }, () => [0.9, 0.1]).flat();
  const temperature = fitTemperature({ gold: [0, 0, 1, 0], probabilities, classes: 2 });
  ok(Math.abs(temperature - 2) < 1e-8, `${temperature}`);
});

Deno.test("fitTemperature() recovers the temperature that labels were drawn at, with maximum likelihood", () => {
  for (const wanted of [0.5, 1, 2.5]) {
    const { logits, gold } = drawRows(20_000, wanted);
    const probabilities = softmax(logits);
    const temperature = fitTemperature({ gold, probabilities, classes: 3 });
    ok(Math.abs(temperature / wanted - 1) < 0.05, `${temperature} is far from ${wanted}`);
    const best = likelihood(gold, probabilities, temperature);
    for (const factor of [0.99, 1.01]) {
      ok(likelihood(gold, probabilities, temperature * factor) > best);
    }
  }
});

Deno.test("temperature scaling improves the calibration of held-out rows", () => {
  const { logits, gold } = drawRows(8000, 2.5); // probabilities at T = 1 are overconfident
  const half = 4000, labels = ["x", "y", "z"];
  const temperature = fitTemperature({
    gold: gold.slice(0, half),
    probabilities: softmax(logits.slice(0, half)),
    classes: 3,
  });
  const probabilities = softmax(logits.slice(half));
  const predicted = logits.slice(half).map((row) => row.indexOf(Math.max(...row)));
  const input = { gold: gold.slice(half), predicted, labels, probabilities };
  const { ece = NaN, scaledEce = NaN } = scoreClassification({ ...input, temperature }, {
    resamples: 1,
  });
  ok(ece > 0.15 && scaledEce < 0.03, `${ece} became ${scaledEce}`);
  const plain = scoreClassification(input, { resamples: 1 });
  deepStrictEqual([plain.temperature, plain.scaledEce, plain.ece], [undefined, undefined, ece]);
});

Deno.test("fitTemperature() returns a bound if no temperature is optimal", () => {
  const probabilities = [0.6, 0.4, 0.3, 0.7];
  strictEqual(fitTemperature({ gold: [0, 1], probabilities, classes: 2 }), 0.01); // all correct
  strictEqual(fitTemperature({ gold: [1, 0], probabilities, classes: 2 }), 100); // all wrong
});

Deno.test("fitTemperature() refuses inputs of different lengths", () => {
  throws(() => fitTemperature({ gold: [0, 1], probabilities: [0.5, 0.5], classes: 2 }), {
    name: "RangeError",
    message:
      "Cannot fit temperature: probabilities must have N x 2 entries for N rows, at least 1, " +
      "but has 2 for 2 rows",
  });
});
