import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { KEEP_DAYS, pruneCache } from "@/engine/native/prune_cache.ts";

const DAY_MS = 24 * 3600 * 1000;
const NOW_MS = Date.UTC(2026, 0, 1);

Deno.test("pruneCache() removes what was neither made nor read for long", async () => {
  const cache = await Deno.makeTempDir();
  /** An entry that was made and read so many days ago. */
  const make = async (name: string, madeDays: number, readDays: number) => {
    const folder = join(cache, name), file = join(folder, "library.so");
    await Deno.mkdir(folder);
    await Deno.writeTextFile(file, name);
    await Deno.utime(
      file,
      (NOW_MS - readDays * DAY_MS) / 1000,
      (NOW_MS - madeDays * DAY_MS) / 1000,
    );
    await Deno.utime(folder, 0, (NOW_MS - madeDays * DAY_MS) / 1000);
  };
  try {
    await make("new", 1, 1);
    await make("old-but-read", 10 * KEEP_DAYS, KEEP_DAYS - 1);
    await make("old", KEEP_DAYS + 1, KEEP_DAYS + 1);
    await make(".build-killed", KEEP_DAYS + 1, KEEP_DAYS + 1);
    await Deno.mkdir(join(cache, ".build-begun")); // empty as yet, by the clock of today
    await Deno.writeTextFile(join(cache, "a-file"), "of somebody else");
    strictEqual(pruneCache(cache, NOW_MS), 2);
    const left = [...Deno.readDirSync(cache)].map(({ name }) => name).sort();
    deepStrictEqual(left, [".build-begun", "a-file", "new", "old-but-read"]);
    strictEqual(pruneCache(cache, 0), 0, "without a time, nothing is old");
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
