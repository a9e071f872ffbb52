/** Marks the branch of a switch that no value of the table can reach; `what` names the choice. */
export function assertNever(value: never, what: string): never {
  throw new TypeError(`internal: unknown ${what}: ${JSON.stringify(value)}`);
}
