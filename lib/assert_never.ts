/** Marks an unreachable branch of an exhaustive switch; `what` names the choice in the error. */
export function assertNever(value: never, what: string): never {
  throw new TypeError(`internal: unknown ${what}: ${JSON.stringify(value)}`);
}
