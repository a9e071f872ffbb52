/**
 * Colors of entity types, by their order in a task's labels. Color is never the only cue: each type is also written
 * next to the entity, and types beyond the twelfth have another underline.
 * @module
 */

/** Colors of an entity type. */
type EntityColor = {
  /** Background of the dark text, in both themes. */
  readonly fill: string;
  /** Color of the underline in the light theme. */
  readonly edge: string;
};

/** Twelve colors. The text of entities is #14181d in both themes (`page.css`). Contrast is at least 7 between text and fill, and at least 4.5 between edge and white. */
export const ENTITY_COLORS: readonly EntityColor[] = [
  { fill: "#ffd8a8", edge: "#a85400" },
  { fill: "#b2d8ff", edge: "#1864ab" },
  { fill: "#b8e6b8", edge: "#257025" },
  { fill: "#e6ccff", edge: "#7b3fb5" },
  { fill: "#ffc2cf", edge: "#b81e52" },
  { fill: "#fff0a0", edge: "#7d6200" },
  { fill: "#a0e8dc", edge: "#0a6d61" },
  { fill: "#e3c9ae", edge: "#72492a" },
  { fill: "#c3ccff", edge: "#4253c5" },
  { fill: "#d9f08f", edge: "#546f00" },
  { fill: "#f5b8ec", edge: "#99208f" },
  { fill: "#d3d9e0", edge: "#525c67" },
];

/** Underlines of entity types 1-12, 13-24 and 25-36. */
export const ENTITY_UNDERLINES = ["solid", "double", "dotted"] as const;

/** Appearance of an entity type. */
type EntityStyle = EntityColor & { readonly underline: typeof ENTITY_UNDERLINES[number] };

/** Entity types of a list of BIO labels, in order. */
export function listTypes(labels: readonly string[]): readonly string[] {
  return [
    ...new Set(labels.filter((label) => label !== "O").map((tag) => tag.slice(2))),
  ];
}

/** Appearance of the type at `index` of {@link listTypes}; repeats after 36 types. */
export function entityStyle(index: number): EntityStyle {
  const count = ENTITY_COLORS.length;
  const color = ENTITY_COLORS[index % count];
  const underline = ENTITY_UNDERLINES[Math.floor(index / count) % ENTITY_UNDERLINES.length];
  if (color === undefined || underline === undefined) {
    throw new RangeError(`internal: ${index} is no index of an entity type`);
  }
  return { ...color, underline };
}
