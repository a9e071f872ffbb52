import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
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
  const found = await Promise.all([submit(["aa", "bbbb"]), submit(["cc"])]);
  deepStrictEqual(found, [["AA", "BBBB"], ["CC"]]);
  deepStrictEqual(batches, [["aa", "cc"], ["bbbb"]]);
});

Deno.test("a batcher refuses more than may wait, and goes on after a failure", async () => {
  let fails = true;
  const { submit, waiting } = createBatcher<string, string>({
    ...shared,
    run: (texts) => fails ? Promise.reject(new RangeError("no")) : Promise.resolve(texts),
  });
  const first = Promise.allSettled(["a", "b", "c"].map((text) => submit([text])));
  strictEqual(waiting(), 3);
  await rejects(submit(["d", "e"]), {
    name: "QueueFullError",
    message: "Cannot take on texts as at most 4 may wait: try again in a moment",
  });
  strictEqual(waiting(), 3, "a request is taken on as a whole or not at all");
  deepStrictEqual((await first).map(({ status }) => status), Array(3).fill("rejected"));
  fails = false;
  deepStrictEqual(await submit(["f"]), ["f"]);
});

Deno.test("a batcher drops what was aborted before it began", async () => {
  const seen: string[] = [];
  const { submit, waiting } = createBatcher<string, string>({
    ...shared,
    run: (texts) => {
      seen.push(...texts);
      return Promise.resolve(texts);
    },
  });
  const abort = new AbortController();
  const dropped = rejects(submit(["a", "b", "c"], abort.signal), { name: "AbortError" });
  const kept = submit(["d"]);
  abort.abort();
  strictEqual(waiting(), 1, "its place is free at once");
  await dropped;
  deepStrictEqual(await kept, ["d"]);
  deepStrictEqual(seen, ["d"]);
  await rejects(submit(["e"], abort.signal), { name: "AbortError" });
});

Deno.test("a batcher computes no more of a request once a part of it has failed", async () => {
  const seen: string[] = [];
  const { submit, waiting } = createBatcher<string, string>({
    ...shared,
    run: (texts) => {
      seen.push(...texts);
      return Promise.reject(new RangeError("no"));
    },
  });
  await rejects(submit(["a", "b", "c"]), { name: "RangeError" });
  strictEqual(waiting(), 0);
  deepStrictEqual(seen, ["a", "b"]);
});
