import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { colorOf, similarityScale } from "@/report/figures/similarity_plot.ts";

const ZERO = "#f4f1ec", POSITIVE = "#08519c", NEGATIVE = "#b35806";

Deno.test("similarityScale() uses the full range for any range of values", () => {
  const narrow = similarityScale([0.0111, 0.0108, 0.0115]);
  deepStrictEqual(narrow, { domain: [0.0108, 0.0115], range: [ZERO, POSITIVE] });
  strictEqual(colorOf(0.0108, narrow), ZERO);
  strictEqual(colorOf(0.0115, narrow), POSITIVE);
  deepStrictEqual(similarityScale([-2, -1]), { domain: [-2, -1], range: [NEGATIVE, ZERO] });
});

Deno.test("similarityScale() keeps 0 neutral if both signs occur", () => {
  const mixed = similarityScale([1, 0.5, -0.5]);
  deepStrictEqual(mixed.domain, [-0.5, 0, 1]);
  strictEqual(colorOf(0, mixed), ZERO);
  strictEqual(colorOf(1, mixed), POSITIVE);
  // halfway from #f4f1ec to #b35806: (0xf4 + 0xb3) / 2 = 211.5, (0xf1 + 0x58) / 2 = 164.5, (0xec + 6) / 2 = 121
  strictEqual(colorOf(-0.5, mixed), "#d4a579");
});

Deno.test("similarityScale() handles values that are all equal", () => {
  strictEqual(colorOf(1, similarityScale([1, 1])), POSITIVE);
  strictEqual(colorOf(-1, similarityScale([-1, -1])), NEGATIVE);
  strictEqual(colorOf(0, similarityScale([0, 0])), ZERO);
});
