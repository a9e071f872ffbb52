import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { createRunCache } from "@/app/run_cache.ts";

/** Creates a cache of the runs a to d that records when they are opened and closed. */
function createTraced(
  open: (folder: string) => Promise<string> = (folder) => Promise.resolve(folder),
) {
  const events: string[] = [];
  const cache = createRunCache<string>({
    list: () => Promise.resolve([..."abcd"].map((name) => ({ name, folder: `runs/${name}` }))),
    open: (folder) => {
      events.push(`open ${folder}`);
      return open(folder);
    },
    close(folder) {
      events.push(`close ${folder}`);
    },
  });
  return { cache, events };
}

Deno.test("a run is opened once, even by concurrent requests", async () => {
  const { cache, events } = createTraced();
  deepStrictEqual(await cache.names(), ["a", "b", "c", "d"]);
  const seen = await Promise.all([1, 2].map(() => cache.use("a", (run) => Promise.resolve(run))));
  deepStrictEqual(seen, ["runs/a", "runs/a"]);
  deepStrictEqual(events, ["open runs/a"]);
});

Deno.test("the least recently used of three runs is closed once it is idle", async () => {
  const { cache, events } = createTraced();
  const use = (name: string) => cache.use(name, () => Promise.resolve());
  const release = Promise.withResolvers<void>();
  const long = cache.use("a", () => release.promise);
  for (const name of ["b", "c", "d"]) await use(name);
  await Promise.resolve();
  deepStrictEqual(events, [
    "open runs/a",
    "open runs/b",
    "open runs/c",
    "close runs/b",
    "open runs/d",
    "close runs/c",
  ]);
  release.resolve();
  await long;
  await use("b");
  await Promise.resolve();
  deepStrictEqual(events.slice(6), ["open runs/b", "close runs/a"]);
});

Deno.test("opening a run is retried after a failure, and an unknown name lists the runs", async () => {
  let fails = true;
  const { cache, events } = createTraced((folder) =>
    fails ? Promise.reject(new Error("no weights")) : Promise.resolve(folder)
  );
  const broken = cache.use("a", () => Promise.resolve()).catch((error) => error);
  strictEqual((await broken).name, "BrokenRunError");
  strictEqual(
    (await broken).message,
    "Cannot open run a: see the server's terminal for the reason",
  );
  strictEqual((await broken).cause.message, "no weights");
  fails = false;
  strictEqual(await cache.use("a", (run) => Promise.resolve(run)), "runs/a");
  deepStrictEqual(events, ["open runs/a", "open runs/a"]);
  await rejects(cache.use("e", () => Promise.resolve()), {
    name: "UnknownRunError",
    message: 'There is no run "e": choose one of a, b, c, d',
  });
});
