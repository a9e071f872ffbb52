import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { scoreClassification } from "@/eval/classification.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { type Best, isOutOfPatience, readMetric, updateBest } from "@/train/early_stopping.ts";

Deno.test("updateBest() keeps the earlier of equal scores and requires an improvement above minDelta", () => {
  const values = [0.5, 0.5, 0.55, 0.75, 0.625];
  let best: Best | null = null;
  const found = values.map((value, i) => {
    best = updateBest(best, { step: 10 * (i + 1), value }, { minDelta: 0.125 });
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

Deno.test("isOutOfPatience() is true after `patience` evaluations, and never if patience is null", () => {
  const config = { metric: "mean", patience: 2, minDelta: 0 };
  const best = { step: 10, value: 0.5, waited: 1 };
  strictEqual(isOutOfPatience(best, config), false);
  strictEqual(isOutOfPatience({ ...best, waited: 2 }, config), true);
  strictEqual(isOutOfPatience({ ...best, waited: 99 }, { ...config, patience: null }), false);
  strictEqual(isOutOfPatience(null, config), false);
  strictEqual(isOutOfPatience({ ...best, waited: 2 }, null), false);
});

Deno.test("readMetric() averages the named scores", () => {
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
    message: "Cannot compute the early stopping metric mean: validation has no score conll2003.f1",
  });
});
