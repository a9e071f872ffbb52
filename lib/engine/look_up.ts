/** The value of a key that `map` must have; `what` names the key in the error, which indicates a bug. */
export function lookUp<K, V>(map: ReadonlyMap<K, V>, key: K, what: string): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`internal: ${what} is not known`);
  return value;
}
