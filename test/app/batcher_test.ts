import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { chooseBatch, createBatcher } from "@/app/batcher.ts";
import { LIMITS } from "@/app/contract.ts";
import { createEngineQueue } from "@/app/engine_queue.ts";

const shared = () => ({
  sizeOf: (text: string) => text.length,
  maxItems: 2,
  maxSize: 8,
  waitMs: 1,
  engineQueue: createEngineQueue({ maxTexts: 4, maxCharacters: 20 }),
});

Deno.test("chooseBatch() takes the oldest item and the items of most similar size", () => {
  // distances to 5: 0, 4, 1, 0
  deepStrictEqual(chooseBatch([5, 9, 6, 5], { maxItems: 3, maxSize: 100 }), [0, 3, 2]);
  deepStrictEqual(chooseBatch([], { maxItems: 3, maxSize: 100 }), []);
});

Deno.test("chooseBatch() respects the size limit, but always takes the oldest item", () => {
  // 5 + 5 = 10; 5 + 5 + 6 = 16
  deepStrictEqual(chooseBatch([5, 9, 6, 5], { maxItems: 4, maxSize: 16 }), [0, 3, 2]);
  deepStrictEqual(chooseBatch([5, 9, 6, 5], { maxItems: 4, maxSize: 15 }), [0, 3]);
  deepStrictEqual(chooseBatch([5, 9, 6, 5], { maxItems: 4, maxSize: 4 }), [0]);
});

Deno.test("full queues are answered within the time limit at the throughput in README", () => {
  const perSecond = 51.8 * 240;
  const most = LIMITS.texts * LIMITS.characters;
  ok(most <= LIMITS.waitingCharacters, "an idle server accepts the largest request");
  ok(
    LIMITS.waitingCharacters / perSecond < LIMITS.requestMs / 1000,
    "accepted texts finish in time",
  );
  ok(LIMITS.batchCharacters / perSecond < 1.5, "no batch delays other requests for long");
  ok(LIMITS.batchCharacters >= 16 * 240 * 2, "texts of usual length fill a batch");
});

Deno.test("a batcher combines concurrent items and returns each item's own result", async () => {
  const batches: (readonly string[])[] = [];
  const { submit } = createBatcher<string, string>({
    ...shared(),
    run: (texts) => {
      batches.push(texts);
      return Promise.resolve(texts.map((text) => text.toUpperCase()));
    },
  });
  const found = await Promise.all([submit(["aa", "bbbb"]), submit(["cc"])]);
  deepStrictEqual(found, [["AA", "BBBB"], ["CC"]]);
  deepStrictEqual(batches, [["aa", "cc"], ["bbbb"]]);
});

Deno.test("a batcher rejects items beyond its limit, and continues after a failure", async () => {
  let fails = true;
  const { submit, waiting } = createBatcher<string, string>({
    ...shared(),
    run: (texts) => fails ? Promise.reject(new RangeError("no")) : Promise.resolve(texts),
  });
  const first = Promise.allSettled(["a", "b", "c"].map((text) => submit([text])));
  strictEqual(waiting(), 3);
  await rejects(submit(["d", "e"]), {
    name: "QueueFullError",
    message: "Too many texts are waiting (at most 4 are allowed): try again in a moment",
  });
  strictEqual(waiting(), 3, "a request is accepted as a whole or not at all");
  deepStrictEqual((await first).map(({ status }) => status), Array(3).fill("rejected"));
  fails = false;
  deepStrictEqual(await submit(["f"]), ["f"]);
});

Deno.test("a batcher drops items that are aborted before they start", async () => {
  const seen: string[] = [];
  const { submit, waiting } = createBatcher<string, string>({
    ...shared(),
    run: (texts) => {
      seen.push(...texts);
      return Promise.resolve(texts);
    },
  });
  const abort = new AbortController();
  const dropped = rejects(submit(["a", "b", "c"], abort.signal), { name: "AbortError" });
  const kept = submit(["d"]);
  abort.abort();
  strictEqual(waiting(), 1, "its place in the queue is free at once");
  await dropped;
  deepStrictEqual(await kept, ["d"]);
  deepStrictEqual(seen, ["d"]);
  await rejects(submit(["e"], abort.signal), { name: "AbortError" });
});

Deno.test("a batcher drops the rest of a request once one of its items has failed", async () => {
  const seen: string[] = [];
  const { submit, waiting } = createBatcher<string, string>({
    ...shared(),
    run: (texts) => {
      seen.push(...texts);
      return Promise.reject(new RangeError("no"));
    },
  });
  await rejects(submit(["a", "b", "c"]), { name: "RangeError" });
  strictEqual(waiting(), 0);
  deepStrictEqual(seen, ["a", "b"]);
});

Deno.test("a batcher rejects characters beyond the limit of the queue that batchers share", async () => {
  const run = (texts: readonly string[]) => Promise.resolve(texts);
  const options = { ...shared(), run };
  const one = createBatcher<string, string>(options);
  const other = createBatcher<string, string>(options);
  const abort = new AbortController();
  const first = rejects(one.submit(["x".repeat(15)], abort.signal), { name: "AbortError" });
  const full = {
    name: "QueueFullError",
    message: "Too many characters are waiting (at most 20 are allowed): try again in a moment",
  };
  await rejects(other.submit(["yyy", "yyy"]), full);
  abort.abort();
  await first;
  const long = "y".repeat(20);
  const answer = other.submit([long]);
  await rejects(one.submit(["x"]), full);
  deepStrictEqual(await answer, [long]);
  deepStrictEqual(await one.submit([long]), [long], "the queue is empty again");
});

Deno.test("an aborted request stops between its batches, and batchers of one queue run one batch at a time", async () => {
  const abort = new AbortController();
  const seen: string[] = [];
  let running = 0;
  const run = async (texts: readonly string[]) => {
    strictEqual(++running, 1);
    seen.push(...texts);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (texts.includes("aaaa")) abort.abort();
    running--;
    return texts;
  };
  const options = { ...shared(), maxSize: 4, run };
  const one = createBatcher<string, string>(options);
  const other = createBatcher<string, string>(options);
  const long = rejects(one.submit(["aaaa", "bbbb", "cccc"], abort.signal), { name: "AbortError" });
  deepStrictEqual(await other.submit(["d"]), ["d"]);
  await long;
  deepStrictEqual(seen, ["aaaa", "d"]);
});
