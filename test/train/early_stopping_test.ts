import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { scoreClassification } from "@/eval/classification.ts";
import { resolveConfig } from "@/resolve_config.ts";
import { type Best, hasStopped, judge, readMetric } from "@/train/early_stopping.ts";

Deno.test("judge() keeps the first of equals and wants more than minDelta", () => {
  const values = [0.5, 0.5, 0.55, 0.75, 0.625];
  let best: Best | null = null;
  const found = values.map((value, i) => {
    best = judge(best, { step: 10 * (i + 1), value }, { minDelta: 0.125 });
    return best;
  });
  deepStrictEqual(found, [
    { step: 10, value: 0.5, waited: 0 },
    { step: 10, value: 0.5, waited: 1 },
    { step: 10, value: 0.5, waited: 2 }, // 0.05 more is not enough
    { step: 40, value: 0.75, waited: 0 },
    { step: 40, value: 0.75, waited: 1 },
  ]);
});

Deno.test("hasStopped() after as many evaluations as patience says, never where it is null", () => {
  const config = { metric: "mean", patience: 2, minDelta: 0 };
  const best = { step: 10, value: 0.5, waited: 1 };
  strictEqual(hasStopped(best, config), false);
  strictEqual(hasStopped({ ...best, waited: 2 }, config), true);
  strictEqual(hasStopped({ ...best, waited: 99 }, { ...config, patience: null }), false);
  strictEqual(hasStopped(null, config), false);
  strictEqual(hasStopped({ ...best, waited: 2 }, null), false);
});

Deno.test("readMetric() takes the mean of the scores that it names", () => {
  const { tasks } = resolveConfig();
  // 2 of 3 right; F1 of class 0 2/3, of class 1 2/3
  const scores = {
    ag_news: scoreClassification({ gold: [0, 0, 1], predicted: [0, 1, 1], labels: ["a", "b"] }),
  };
  strictEqual(readMetric("ag_news.accuracy", tasks, scores), 2 / 3);
  const both = readMetric("ag_news.accuracy+ag_news.macroF1", tasks, scores);
  strictEqual(both, (2 / 3 + scores.ag_news.macroF1) / 2);
  throws(() => readMetric("mean", tasks, scores), {
    name: "RangeError",
    message: "Cannot watch mean as validation must score conll2003.f1: it has no such score",
  });
});
