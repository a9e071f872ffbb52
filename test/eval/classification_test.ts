import { deepStrictEqual, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { scoreClassification } from "@/eval/classification.ts";
import { measureCalibration } from "@/eval/calibration.ts";
import { shareInterval } from "@/statistics.ts";

const near = (actual: number | undefined, expected: number, what: string) =>
  ok(Math.abs((actual ?? NaN) - expected) < 1e-12, `${what}: ${actual} is not ${expected}`);

Deno.test("scoreClassification() matches hand-computed values", () => {
  const scores = scoreClassification({
    gold: [0, 0, 0, 1, 1, 2],
    predicted: [0, 0, 1, 1, 0, 1],
    labels: ["a", "b", "c"],
  });
  near(scores.accuracy, 3 / 6, "accuracy");
  deepStrictEqual(scores.confusion, [[2, 1, 0], [1, 1, 0], [0, 1, 0]]);
  deepStrictEqual(scores.perClass, {
    a: { precision: 2 / 3, recall: 2 / 3, f1: 4 / 6, support: 3 }, // 2 correct, 3 predicted, 3 gold
    b: { precision: 1 / 3, recall: 1 / 2, f1: 2 / 5, support: 2 }, // 1 correct, 3 predicted, 2 gold
    c: { precision: 0, recall: 0, f1: 0, support: 1 }, // never predicted: 0, not NaN
  });
  near(scores.macroF1, (4 / 6 + 2 / 5 + 0) / 3, "macro-F1");
  deepStrictEqual(scores.interval, shareInterval(3, 6));
  deepStrictEqual(scores.rows, 6);
  ok(!("ece" in scores) && !("bins" in scores)); // no probabilities were given
});

Deno.test("scoreClassification() excludes classes that never occur from macro-F1", () => {
  const scores = scoreClassification({ gold: [0, 1], predicted: [0, 1], labels: ["a", "b", "c"] });
  deepStrictEqual(scores.macroF1, 1);
  deepStrictEqual(scores.perClass.c, { precision: 0, recall: 0, f1: 0, support: 0 });
});

Deno.test("scoreClassification() counts every row once in the confusion matrix", () => {
  const rows = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(rows, (pairs) => {
    const gold = pairs.map(([g]) => g), predicted = pairs.map(([, p]) => p);
    const scores = scoreClassification({ gold, predicted, labels: ["a", "b", "c"] });
    deepStrictEqual(scores.confusion.flat().reduce((sum, count) => sum + count, 0), pairs.length);
    // accuracy is also the mean of recall weighted by support
    const weighted = Object.values(scores.perClass)
      .reduce((sum, { recall, support }) => sum + recall * support, 0) / pairs.length;
    near(weighted, scores.accuracy, "weighted recall");
    ok(scores.interval[0] <= scores.accuracy && scores.accuracy <= scores.interval[1]);
    deepStrictEqual(JSON.parse(JSON.stringify(scores)), scores);
  }));
});

Deno.test("measureCalibration() matches hand-computed values with two non-empty bins", () => {
  const { ece, bins } = measureCalibration({
    gold: [0, 1, 0, 1],
    classes: 2,
    // highest probabilities: 0.9 correct, 0.92 wrong (both in (13/15, 14/15]), 0.55 wrong, 0.59 correct (in (8/15, 9/15])
    probabilities: [0.9, 0.1, 0.92, 0.08, 0.45, 0.55, 0.41, 0.59],
  });
  // |0.57 - 0.5| · 2/4 + |0.91 - 0.5| · 2/4
  near(ece, 0.24, "ece");
  deepStrictEqual(bins.map(({ rows }) => rows), [2, 2]);
  near(bins[0]?.confidence, 0.57, "confidence of the lower bin");
  near(bins[0]?.accuracy, 0.5, "accuracy of the lower bin");
  near(bins[1]?.confidence, 0.91, "confidence of the upper bin");
});

Deno.test("measureCalibration() bins are (low, high]; a certain and correct model has zero error", () => {
  const sure = measureCalibration({ gold: [0, 1], classes: 2, probabilities: [1, 0, 0, 1] });
  deepStrictEqual(sure, { ece: 0, bins: [{ confidence: 1, accuracy: 1, rows: 2 }] });
  // 0.5 and 0.75 with two bins: the edge 0.5 belongs to the lower one
  const edge = measureCalibration({
    gold: [0, 0],
    classes: 2,
    probabilities: [0.5, 0.5, 0.75, 0.25],
    bins: 2,
  });
  deepStrictEqual(edge.bins.map(({ confidence }) => confidence), [0.5, 0.75]);
});

Deno.test("scoreClassification() accepts float32 probabilities and measures their calibration", () => {
  const probabilities = new Float32Array([0.8, 0.2, 0.3, 0.7]);
  const { ece } = scoreClassification({
    gold: [0, 1],
    predicted: [0, 1],
    labels: ["a", "b"],
    probabilities,
  });
  ok(Math.abs((ece ?? NaN) - 0.25) < 1e-7); // (|0.8 - 1| + |0.7 - 1|) / 2
});

Deno.test("scoreClassification() refuses invalid input", () => {
  const labels = ["a", "b"];
  const refuses = (call: () => unknown, message: string) =>
    throws(call, { name: "RangeError", message });
  refuses(
    () => scoreClassification({ gold: [], predicted: [], labels }),
    "Cannot score classes: there are no rows",
  );
  refuses(
    () => scoreClassification({ gold: [0, 1], predicted: [0], labels }),
    "Cannot score classes: predicted must have 2 entries, but has 1",
  );
  refuses(
    () => scoreClassification({ gold: [0, 2], predicted: [0, 1], labels }),
    "Cannot score classes: gold of row 1 must be from 0 to 1, but is 2",
  );
  refuses(
    () => scoreClassification({ gold: [0, 1], predicted: [0, -1], labels }),
    "Cannot score classes: predicted of row 1 must be from 0 to 1, but is -1",
  );
  refuses(
    () => scoreClassification({ gold: [0], predicted: [0], labels, probabilities: [1] }),
    "Cannot measure calibration: probabilities must have 1 x 2 entries, but has 1",
  );
  refuses(
    () => scoreClassification({ gold: [0], predicted: [0], labels, probabilities: [2, -0.5] }),
    "Cannot measure calibration: the probabilities of row 0 sum to 1.5 instead of 1",
  );
});
