/**
 * `expect` as in jasmine, for the matchers that TensorFlow.js's tests use. A failed expectation is reported, not
 * thrown, so that a test proceeds to its clean-up.
 * @module
 */
import { inspect, isDeepStrictEqual } from "node:util";
import { AnySpy } from "./spies.ts";

/** Receives the message of a failed expectation. */
export type ReportFailure = (message: string) => void;

/** An expected value with its own equality. */
export class ExactContents {
  constructor(readonly sample: readonly unknown[]) {}

  matches(actual: unknown): boolean {
    if (!Array.isArray(actual) || actual.length !== this.sample.length) return false;
    const rest = [...actual];
    return this.sample.every((wanted) => {
      const at = rest.findIndex((value) => equals(value, wanted));
      if (at >= 0) rest.splice(at, 1);
      return at >= 0;
    });
  }
}

function equals(actual: unknown, expected: unknown): boolean {
  if (expected instanceof ExactContents) return expected.matches(actual);
  return isDeepStrictEqual(actual, expected);
}

type Verdict = { readonly pass: boolean; readonly message: string };

/** True if `error` satisfies `toThrowError(…wanted)`: a type, a message or a pattern, or type and message. */
function errorFits(error: unknown, wanted: readonly unknown[]): boolean {
  return wanted.every((want) => {
    if (typeof want === "function") return error instanceof want;
    const message = error instanceof Error ? error.message : undefined;
    return want instanceof RegExp ? want.test(message ?? "") : want === message;
  });
}

/** The thrown value of a function, in an array; empty if the function returned. */
function thrownBy(run: unknown): unknown[] {
  try {
    (run as () => unknown)();
    return [];
  } catch (error) {
    return [error];
  }
}

const show = (value: unknown) => inspect(value, { depth: 3, maxArrayLength: 24, breakLength: 160 });

function judgeThrow(thrown: readonly unknown[], wanted: readonly unknown[]): Verdict {
  const [error] = thrown;
  const pass = thrown.length > 0 && errorFits(error, wanted);
  const seen = thrown.length === 0 ? "nothing" : error instanceof Error ? error.message : error;
  return { pass, message: `to throw ${show(wanted)}: it threw ${show(seen)}` };
}

/** Matchers that compare `actual` with their arguments; each returns a verdict. */
const MATCHERS: Record<string, (actual: unknown, ...wanted: unknown[]) => Verdict> = {
  nothing: () => judge(true, "hold"),
  toBe: (actual, wanted) => judge(Object.is(actual, wanted) || actual === wanted, "be", wanted),
  toEqual: (actual, wanted) => judge(equals(actual, wanted), "equal", wanted),
  toBeNull: (actual) => judge(actual === null, "be null"),
  toBeUndefined: (actual) => judge(actual === undefined, "be undefined"),
  toBeDefined: (actual) => judge(actual !== undefined, "be defined"),
  toBeTruthy: (actual) => judge(Boolean(actual), "be truthy"),
  toBeFalsy: (actual) => judge(!actual, "be falsy"),
  toBeTrue: (actual) => judge(actual === true, "be true"),
  toBeFalse: (actual) => judge(actual === false, "be false"),
  toBeNaN: (actual) => judge(Number.isNaN(actual), "be NaN"),
  toBeLessThan: (actual, wanted) => judge(Number(actual) < Number(wanted), "be below", wanted),
  toBeLessThanOrEqual: (actual, wanted) =>
    judge(Number(actual) <= Number(wanted), "be at most", wanted),
  toBeGreaterThan: (actual, wanted) => judge(Number(actual) > Number(wanted), "be above", wanted),
  toBeGreaterThanOrEqual: (actual, wanted) =>
    judge(Number(actual) >= Number(wanted), "be at least", wanted),
  toBeCloseTo: (actual, wanted, digits = 2) =>
    judge(
      Math.abs(Number(actual) - Number(wanted)) < 10 ** -Number(digits) / 2,
      "be close to",
      wanted,
    ),
  toBeInstanceOf: (actual, wanted) =>
    judge(actual instanceof (wanted as new () => unknown), "be an instance of", wanted),
  toContain: (actual, wanted) =>
    judge(
      typeof actual === "string"
        ? actual.includes(String(wanted))
        : [...actual as Iterable<unknown>].some((item) => equals(item, wanted)),
      "contain",
      wanted,
    ),
  toMatch: (actual, wanted) =>
    judge(new RegExp(wanted as string | RegExp).test(String(actual)), "match", wanted),
  toThrow: (actual, ...wanted) =>
    judge(thrownBy(actual).some((e) => wanted.length === 0 || equals(e, wanted[0])), "throw"),
  toThrowError: (actual, ...wanted) => judgeThrow(thrownBy(actual), wanted),
  toHaveBeenCalled: (actual) => judge(AnySpy.of(actual).calls.count() > 0, "have been called"),
  toHaveBeenCalledTimes: (actual, times) =>
    judge(AnySpy.of(actual).calls.count() === times, "have been called times", times),
  toHaveBeenCalledWith: (actual, ...wanted) =>
    judge(
      AnySpy.of(actual).calls.allArgs().some((args) => equals(args, wanted)),
      "have been called with",
      wanted,
    ),
};

function judge(pass: boolean, verb: string, ...wanted: unknown[]): Verdict {
  return { pass, message: `to ${[verb, ...wanted.map(show)].join(" ")}` };
}

type Expectation = Record<string, (...wanted: unknown[]) => void> & { not?: Expectation };

/** `expect(actual)`; `report` receives failures. */
export function makeExpectation(actual: unknown, report: ReportFailure): Expectation {
  const bind = (negated: boolean): Expectation =>
    Object.fromEntries(
      Object.entries(MATCHERS).map(([name, match]) => [name, (...wanted: unknown[]) => {
        const { pass, message } = match(actual, ...wanted);
        if (pass === negated) report(`expected ${show(actual)} ${negated ? "not " : ""}${message}`);
      }]),
    );
  const expectation = bind(false);
  expectation.not = bind(true);
  return expectation;
}

/** `expectAsync(promise)`. */
export function makeAsyncExpectation(promise: unknown, report: ReportFailure) {
  return {
    async toBeRejectedWithError(...wanted: unknown[]): Promise<void> {
      const thrown = await Promise.resolve(promise).then(() => [], (error: unknown) => [error]);
      const { pass, message } = judgeThrow(thrown, wanted);
      if (!pass) report(`expected a promise ${message}`);
    },
  };
}
