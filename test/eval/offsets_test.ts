import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { convertOffsets } from "@/eval/offsets.ts";

const entityOf = (text: string, start: number, end: number) => ({
  type: "PER",
  text: text.slice(start, end),
  start,
  end,
  probability: 0.5,
});

Deno.test("convertOffsets() counts a character beyond U+FFFF once, as Python does", () => {
  // Python: "😀 Ada met 𝒳.".index("Ada") == 2, .index("𝒳") == 10, len == 12
  const text = "😀 Ada met 𝒳.";
  const prediction = {
    text,
    labels: {},
    entities: { names: [entityOf(text, 3, 6), entityOf(text, 11, 13)], none: [] },
  };
  const { entities, ...rest } = convertOffsets(prediction, "codepoints");
  deepStrictEqual(
    entities["names"]?.map(({ text, start, end }) => [text, start, end]),
    [["Ada", 2, 5], ["𝒳", 10, 11]],
  );
  deepStrictEqual([entities["none"], rest], [[], { text, labels: {} }]);
  strictEqual(convertOffsets(prediction, "utf16"), prediction);
  const end = convertOffsets(
    { ...prediction, entities: { names: [entityOf(text, 0, 14)] } },
    "codepoints",
  );
  deepStrictEqual(end.entities["names"]?.map(({ start, end }) => [start, end]), [[0, 12]]);
});

Deno.test("convertOffsets() returns offsets that select the same entity in a list of code points", () => {
  const parts = fc.tuple(...Array.from({ length: 3 }, () => fc.string({ unit: "binary" })));
  fc.assert(fc.property(parts, ([before = "", inside = "", after = ""]) => {
    const text = before + inside + after;
    const entity = entityOf(text, before.length, before.length + inside.length);
    const { entities } = convertOffsets(
      { text, labels: {}, entities: { a: [entity] } },
      "codepoints",
    );
    const [found] = entities["a"] ?? [];
    strictEqual(Array.from(text).slice(found?.start, found?.end).join(""), inside);
  }));
});
