import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { installJasmine, runSpecs } from "./jasmine.ts";

type Spy = ((...args: unknown[]) => unknown) & { and: { returnValue(value: unknown): Spy } };

/** The globals that `installJasmine` makes, as the specs below use them. */
type Jasmine = {
  describe(name: string, declare: () => void): void;
  it(name: string, body: (done: () => void) => unknown): void;
  xit(name: string, body: () => void): void;
  beforeAll(body: () => void): void;
  beforeEach(body: () => void): void;
  afterEach(body: () => void): void;
  expect(actual: unknown): Record<string, (...wanted: unknown[]) => void>;
  spyOn(object: object, name: string): Spy;
};

async function runDeclared(declare: (jasmine: Jasmine) => void) {
  installJasmine();
  declare(globalThis as unknown as Jasmine);
  const results: Record<string, number> = {}, pending: string[] = [];
  await runSpecs({
    wants: () => true,
    pending: (name) => void pending.push(name),
    started: () => {},
    ended: ({ name, failures }) => void (results[name] = failures.length),
  });
  return { results, pending };
}

Deno.test("a spec goes on after a failed expectation, and each is counted", async () => {
  const { results, pending } = await runDeclared(({ describe, it, xit, expect }) =>
    describe("s", () => {
      it("good", () => expect([1, NaN]).toEqual?.([1, NaN]));
      it("bad", () => {
        expect(1).toBe?.(2);
        expect(() => {
          throw new Error("no");
        }).toThrowError?.("yes");
        expect(new Float32Array([1])).toEqual?.([1]); // another type of array
      });
      it("throws", () => {
        throw new Error("on purpose");
      });
      it("calls done", (done) => setTimeout(done, 1));
      xit("off", () => {});
    })
  );
  deepStrictEqual(results, { "s > good": 0, "s > bad": 3, "s > throws": 1, "s > calls done": 0 });
  deepStrictEqual(pending, ["s > off"]);
});

Deno.test("hooks run from the outside in and back, spies end with their spec", async () => {
  const log: string[] = [];
  const target = { ask: () => "real" };
  await runDeclared(({ describe, it, beforeAll, beforeEach, afterEach, spyOn }) =>
    describe("outer", () => {
      beforeAll(() => void log.push("all"));
      beforeEach(() => void log.push("before outer"));
      afterEach(() => void log.push("after outer"));
      describe("inner", () => {
        beforeEach(() => void log.push("before inner"));
        afterEach(() => void log.push("after inner"));
        it("spec", () => {
          spyOn(target, "ask").and.returnValue("fake");
          log.push(target.ask());
        });
      });
    })
  );
  deepStrictEqual(log, [
    "all",
    "before outer",
    "before inner",
    "fake",
    "after inner",
    "after outer",
  ]);
  strictEqual(target.ask(), "real");
});
