/**
 * Tagging by looking up the entities in train, a baseline for which the sample's entities must be too hard.
 * @module
 */

import type { TaggedRow } from "../rows.ts";

/** An entity in a row: words [start, end). */
type EntitySpan = { readonly type: string; readonly start: number; readonly end: number };

/** The entities of a row; its tags must be valid IOB2. */
export function entitySpans(tags: readonly number[], labels: readonly string[]): EntitySpan[] {
  const spans: { type: string; start: number; end: number }[] = [];
  for (const [index, tag] of tags.entries()) {
    const name = labels[tag] ?? "O", last = spans.at(-1);
    if (name.startsWith("B-")) spans.push({ type: name.slice(2), start: index, end: index + 1 });
    if (name.startsWith("I-") && last !== undefined) last.end = index + 1;
  }
  return spans;
}

/** Finds entities in a row of words. */
type EntityFinder = (tokens: readonly string[]) => EntitySpan[];

/** All entities in `rows`, as space-separated words, with their most frequent type. */
export function listEntityNames(
  rows: readonly TaggedRow[],
  labels: readonly string[],
): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const { tokens, tags } of rows) {
    for (const { type, start, end } of entitySpans(tags, labels)) {
      const name = tokens.slice(start, end).join(" ");
      const types = counts.get(name) ?? new Map<string, number>();
      counts.set(name, types.set(type, (types.get(type) ?? 0) + 1));
    }
  }
  return new Map([...counts].map(([name, types]) => {
    const [[type] = ["", 0]] = [...types].sort(([, a], [, b]) => b - a);
    return [name, type];
  }));
}

/** Finds listed entities from left to right, preferring the longest name. */
export function entityFinder(names: ReadonlyMap<string, string>): EntityFinder {
  const longest = Math.max(0, ...[...names.keys()].map((name) => name.split(" ").length));
  return (tokens) => {
    const spans: EntitySpan[] = [];
    for (let start = 0; start < tokens.length; start++) {
      for (let end = Math.min(tokens.length, start + longest); end > start; end--) {
        const type = names.get(tokens.slice(start, end).join(" "));
        if (type === undefined) continue;
        spans.push({ type, start, end });
        start = end - 1;
        break;
      }
    }
    return spans;
  };
}

/** F1 over all entities; type, start and end must match. 0 if nothing matches. */
export function entityF1(
  find: EntityFinder,
  rows: readonly TaggedRow[],
  labels: readonly string[],
): number {
  let right = 0, found = 0, gold = 0;
  for (const { tokens, tags } of rows) {
    const key = ({ type, start, end }: EntitySpan) => `${type} ${start} ${end}`;
    const goldKeys = new Set(entitySpans(tags, labels).map(key));
    const foundKeys = find(tokens).map(key);
    gold += goldKeys.size;
    found += foundKeys.length;
    right += foundKeys.filter((name) => goldKeys.has(name)).length;
  }
  return gold + found === 0 ? 0 : (2 * right) / (gold + found);
}
