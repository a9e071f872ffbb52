import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { chooseBatch, createBatcher } from "@/app/batcher.ts";

const shared = { sizeOf: (text: string) => text.length, maxItems: 2, waitMs: 1, maxWaiting: 4 };

Deno.test("chooseBatch() takes the oldest and those nearest to it in size", () => {
  // distances to 5: 0, 4, 1, 0
  deepStrictEqual(chooseBatch([5, 9, 6, 5], 3), [0, 3, 2]);
  deepStrictEqual(chooseBatch([], 3), []);
});

Deno.test("a batcher gathers what comes together and gives each item its own result", async () => {
  const batches: (readonly string[])[] = [];
  const { submit } = createBatcher<string, string>({
    ...shared,
    run: (texts) => {
      batches.push(texts);
      return Promise.resolve(texts.map((text) => text.toUpperCase()));
    },
  });
  const found = await Promise.all(["aa", "bbbb", "cc"].map((text) => submit(text)));
  deepStrictEqual(found, ["AA", "BBBB", "CC"]);
  deepStrictEqual(batches, [["aa", "cc"], ["bbbb"]]);
});

Deno.test("a batcher refuses more than may wait, and goes on after a failure", async () => {
  let fails = true;
  const { submit, waiting } = createBatcher<string, string>({
    ...shared,
    run: (texts) => fails ? Promise.reject(new RangeError("no")) : Promise.resolve(texts),
  });
  const first = Promise.allSettled(["a", "b", "c", "d"].map((text) => submit(text)));
  strictEqual(waiting(), 4);
  throws(() => submit("e"), {
    name: "QueueFullError",
    message: "Cannot take on text as at most 4 may wait: try again in a moment",
  });
  deepStrictEqual((await first).map(({ status }) => status), Array(4).fill("rejected"));
  fails = false;
  strictEqual(await submit("f"), "f");
});

Deno.test("a batcher drops what was aborted before it began", async () => {
  const seen: string[] = [];
  const { submit } = createBatcher<string, string>({
    ...shared,
    run: (texts) => {
      seen.push(...texts);
      return Promise.resolve(texts);
    },
  });
  const abort = new AbortController();
  const dropped = rejects(submit("a", abort.signal), { name: "AbortError" });
  const kept = submit("b");
  abort.abort();
  await dropped;
  strictEqual(await kept, "b");
  deepStrictEqual(seen, ["b"]);
});
