/**
 * The part of jasmine that TensorFlow.js's tests need: suites, specs, hooks, spies.
 *
 * Jasmine's functions are globals, as the test files expect them; `runSpecs` runs what they declared.
 * @module
 */
import { ExactContents, makeAsyncExpectation, makeExpectation } from "./expectations.ts";
import { spyOn } from "./spies.ts";

type Body = (done?: Done) => unknown;
type Done = (() => void) & { fail: (reason?: unknown) => void };
const HOOKS = ["beforeAll", "beforeEach", "afterEach", "afterAll"] as const;
type Hook = typeof HOOKS[number];

type Spec = { readonly name: string; readonly body: Body | null };
type Suite = {
  readonly name: string;
  readonly parent: Suite | null;
  readonly children: (Suite | Spec)[];
  readonly hooks: Record<Hook, Body[]>;
};

/** The outcome of one spec; `failures` is empty if it passed. */
export type SpecResult = {
  readonly name: string;
  readonly failures: readonly string[];
};

/** Receives events while specs run. */
export type SpecListener = {
  /** True if the spec should run. */
  wants(name: string): boolean;
  /** A spec that TensorFlow.js itself has turned off. */
  pending(name: string): void;
  started(name: string): void;
  ended(result: SpecResult): void;
};

const TIMEOUT_MS = 60_000;

function makeSuite(name: string, parent: Suite | null): Suite {
  return {
    name,
    parent,
    children: [],
    hooks: { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] },
  };
}

let current = makeSuite("", null);
let failures: string[] = [];
const undos: (() => void)[] = [];

function describe(name: string, declare: () => void): void {
  const suite = makeSuite(name, current);
  current.children.push(suite);
  current = suite;
  try {
    declare();
  } finally {
    current = suite.parent as Suite;
  }
}

function report(message: string): void {
  failures.push(message);
}

/** Makes jasmine's functions global. */
export function installJasmine(): void {
  const jasmine = {
    DEFAULT_TIMEOUT_INTERVAL: TIMEOUT_MS,
    arrayWithExactContents: (sample: unknown[]) => new ExactContents(sample),
  };
  Object.assign(globalThis, {
    jasmine,
    describe,
    xdescribe: () => {},
    it: (name: string, body: Body) => void current.children.push({ name, body }),
    xit: (name: string) => void current.children.push({ name, body: null }),
    expect: (actual: unknown) => makeExpectation(actual, report),
    expectAsync: (promise: unknown) => makeAsyncExpectation(promise, report),
    fail: (reason?: unknown) => report(`failed: ${describeError(reason)}`),
    spyOn: (object: Record<string, unknown>, name: string) => {
      const { spy, undo } = spyOn(object, name);
      undos.push(undo);
      return spy;
    },
    ...Object.fromEntries(
      HOOKS.map((hook) => [hook, (body: Body) => void current.hooks[hook].push(body)]),
    ),
  });
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const at = error.stack?.split("\n").find((line) => /\/(lib|ops)\//.test(line))?.trim() ?? "";
  return `${error.name}: ${error.message} ${at}`;
}

/** Runs a spec or hook until it returns, its promise settles or it calls `done`. */
async function settle(body: Body): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  });
  const work = body.length === 0 ? body() : new Promise<void>((resolve, reject) => {
    const done: Done = Object.assign(() => resolve(), { fail: reject });
    body(done);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function attempt(bodies: readonly Body[]): Promise<void> {
  for (const body of bodies) {
    try {
      await settle(body);
    } catch (error) {
      report(`threw ${describeError(error)}`);
    }
  }
}

/** Removes all spies except the first `kept`. */
function undoSpies(kept: number): void {
  for (const undo of undos.splice(kept).toReversed()) undo();
}

function lineage(suite: Suite): Suite[] {
  return suite.parent === null ? [suite] : [...lineage(suite.parent), suite];
}

async function runSuite(suite: Suite, path: string, listener: SpecListener): Promise<void> {
  failures = [];
  const outer = undos.length;
  await attempt(suite.hooks.beforeAll);
  const before = failures, shared = undos.length; // spies of `beforeAll` stay until the suite ends
  for (const child of suite.children) {
    const name = path === "" ? child.name : `${path} > ${child.name}`;
    if ("children" in child) {
      await runSuite(child, name, listener);
      continue;
    }
    if (child.body === null) listener.pending(name);
    if (child.body === null || !listener.wants(name)) continue;
    failures = [...before];
    const suites = lineage(suite);
    listener.started(name);
    await attempt([...suites.flatMap(({ hooks }) => hooks.beforeEach), child.body]);
    await attempt(suites.toReversed().flatMap(({ hooks }) => hooks.afterEach));
    undoSpies(shared);
    listener.ended({ name, failures });
  }
  failures = [];
  await attempt(suite.hooks.afterAll);
  undoSpies(outer);
}

/** Runs everything declared so far and clears it. */
export async function runSpecs(listener: SpecListener): Promise<void> {
  const root = current;
  current = makeSuite("", null);
  await runSuite(root, "", listener);
}
