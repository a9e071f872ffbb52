import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { KEEP_DAYS, pruneCache } from "@/engine/native/toolchain/prune_cache.ts";

const DAY_MS = 24 * 3600 * 1000;
const NOW_MS = Date.UTC(2026, 0, 1);

/** The name of an entry. */
const entry = (digit: string) => digit.repeat(40);

Deno.test("pruneCache() removes entries that were neither created nor read for a long time", async () => {
  const cache = await Deno.makeTempDir();
  /** Creates an entry that was created and last read the given numbers of days ago. */
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
    await make(entry("a"), 1, 1);
    await make(entry("b"), 10 * KEEP_DAYS, KEEP_DAYS - 1);
    await make(entry("c"), KEEP_DAYS + 1, KEEP_DAYS + 1);
    await make(`tensorflow-${entry("d")}`, KEEP_DAYS + 1, KEEP_DAYS + 1);
    await make("of-somebody-else", 10 * KEEP_DAYS, 10 * KEEP_DAYS);
    await make(".build-killed", KEEP_DAYS + 1, KEEP_DAYS + 1);
    await Deno.mkdir(join(cache, ".build-begun")); // a new, empty build folder
    await Deno.writeTextFile(join(cache, "a-file"), "of another user");
    strictEqual(pruneCache(cache, NOW_MS), 3);
    const left = [...Deno.readDirSync(cache)].map(({ name }) => name).sort();
    const kept = [".build-begun", "a-file", entry("a"), entry("b"), "of-somebody-else"];
    deepStrictEqual(left, kept.sort());
    strictEqual(pruneCache(cache, 0), 0, "without a time, nothing is old");
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
