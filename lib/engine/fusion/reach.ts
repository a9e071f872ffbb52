/**
 * Path search among units of work.
 * @module
 */

/** True if any of `from` is `target` or needs it, directly or through others. */
export function reaches<Unit>(
  from: Iterable<Unit>,
  target: Unit,
  neededBy: (unit: Unit) => Iterable<Unit>,
): boolean {
  const seen = new Set<Unit>(from);
  const open = [...seen];
  for (let unit = open.pop(); unit !== undefined; unit = open.pop()) {
    if (unit === target) return true;
    for (const next of neededBy(unit)) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}
