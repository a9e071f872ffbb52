/**
 * Units of entity offsets: JavaScript counts UTF-16 code units, Python counts code points. The two differ
 * after a character beyond U+FFFF, such as an emoji.
 * @module
 */

import type { TextPrediction } from "@/eval/text_predictor.ts";

/** Units in which `start` and `end` of an entity can be counted. */
export const OFFSET_UNITS = ["utf16", "codepoints"] as const;
/** One of {@link OFFSET_UNITS}. */
export type OffsetUnit = typeof OFFSET_UNITS[number];

/** Explanation of the units, for `--help` and the API's document. */
export const OFFSETS_NOTE =
  "`start` and `end` of an entity count UTF-16 code units, as JavaScript's `text.slice(start, end)` " +
  "does; with offsets `codepoints` they count code points, as Python's `text[start:end]` does.";

/**
 * Converts the entity offsets of a prediction to `unit`. Predictors return UTF-16 code units.
 *
 * @example
 * ```ts
 * import { convertOffsets } from "@/eval/offsets.ts";
 * const ada = { type: "PER", text: "Ada", start: 3, end: 6, probability: 0.9 };
 * const [found] = convertOffsets({ text: "😀 Ada", labels: {}, entities: { names: [ada] } }, "codepoints")
 *   .entities["names"] ?? [];
 * [found?.start, found?.end]; // [2, 5]
 * ```
 */
export function convertOffsets(prediction: TextPrediction, unit: OffsetUnit): TextPrediction {
  const { text, entities } = prediction;
  if (unit === "utf16" || !/[\ud800-\udbff]/.test(text)) return prediction;
  const places = countCodePoints(text);
  const place = (at: number) => places[at] ?? at;
  return {
    ...prediction,
    entities: Object.fromEntries(
      Object.entries(entities).map(([task, found]) => [
        task,
        found.map((entity) => ({ ...entity, start: place(entity.start), end: place(entity.end) })),
      ]),
    ),
  };
}

/** [length + 1] number of code points before each UTF-16 code unit; the last entry is the total. */
function countCodePoints(text: string): Uint32Array {
  const places = new Uint32Array(text.length + 1);
  let unit = 0, point = 0;
  for (const character of text) {
    places.fill(point++, unit, unit += character.length);
  }
  places[text.length] = point;
  return places;
}
