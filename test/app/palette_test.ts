import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { ENTITY_COLORS, ENTITY_UNDERLINES, entityStyle, listTypes } from "@/app/page/palette.ts";

/** Text color of entities, in both themes, in `page.css`. */
const ENTITY_INK = "#14181d";

/** Contrast ratio of two colors: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(first: string, second: string): number {
  const [low = 0, high = 0] = [first, second].map((color) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const value = parseInt(color.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

Deno.test("entity colors have enough contrast with text and page background in both themes", () => {
  ok(Math.abs(contrast("#000000", "#ffffff") - 21) < 1e-9, "check of contrast() itself");
  for (const { fill, edge } of ENTITY_COLORS) {
    ok(contrast(ENTITY_INK, fill) >= 7, `text on ${fill}: ${contrast(ENTITY_INK, fill)}`);
    ok(contrast(edge, "#ffffff") >= 4.5, `${edge} on white: ${contrast(edge, "#ffffff")}`);
    ok(contrast(fill, "#1a2027") >= 4.5, `${fill} on the dark card`);
  }
});

Deno.test("each of 36 entity types has a distinct look", () => {
  const looks = Array.from({ length: 36 }, (_, i) => JSON.stringify(entityStyle(i)));
  strictEqual(new Set(looks).size, ENTITY_COLORS.length * ENTITY_UNDERLINES.length);
  deepStrictEqual(entityStyle(36), entityStyle(0));
  deepStrictEqual(listTypes(["O", "B-PER", "I-PER", "B-WORK-OF-ART", "I-WORK-OF-ART", "B-LOC"]), [
    "PER",
    "WORK-OF-ART",
    "LOC",
  ]);
});
