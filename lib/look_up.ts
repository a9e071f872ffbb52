/** The value of a key that must be in `map`; `what` names it where it is not, which is a defect. */
export function lookUp<K, V>(map: ReadonlyMap<K, V>, key: K, what: string): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`internal: ${what} is not known`);
  return value;
}
