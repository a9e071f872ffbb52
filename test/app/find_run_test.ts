import { deepStrictEqual } from "node:assert/strict";
import { join } from "node:path";
import { findDefaultModel, listRuns, listShownRuns } from "@/app/find_run.ts";

/** Runs a test with a folder that contains the files of runs, by path, oldest first. */
async function withRuns(
  paths: readonly string[],
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [i, path] of paths.entries()) {
      const file = join(folder, path);
      await Deno.mkdir(join(file, ".."), { recursive: true });
      await Deno.writeTextFile(file, "{}");
      await Deno.utime(file, 1000 + i, 1000 + i);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const runFiles = (run: string) => [`${run}/model/heads.json`, `${run}/summary.json`];

Deno.test("findDefaultModel() prefers the newest finished run to the shipped one, whatever its date", async () => {
  const files = [
    ...runFiles("old"),
    ...runFiles("new"),
    "unfinished/model/heads.json",
    "kept-without-weights/summary.json",
    ...runFiles("shipped"),
  ];
  await withRuns(files, async (folder) => {
    const shipped = join(folder, "shipped");
    deepStrictEqual(await listRuns(folder), ["shipped", "new", "old"].map((n) => join(folder, n)));
    deepStrictEqual(await findDefaultModel(folder, shipped), {
      source: join(folder, "new"),
      reason: "the newest run",
    });
    const other = { source: shipped, reason: "the model that ships with the repository" };
    await Deno.remove(join(folder, "new"), { recursive: true });
    await Deno.remove(join(folder, "old"), { recursive: true });
    deepStrictEqual(await findDefaultModel(folder, shipped), other);
    deepStrictEqual(await findDefaultModel(join(folder, "none"), shipped), other);
    deepStrictEqual(await findDefaultModel(join(folder, "none"), join(folder, "gone")), null);
  });
});

Deno.test("listShownRuns() lists each run once, with a unique name", async () => {
  const files = ["out/old", "out/new", "elsewhere/old", "elsewhere/shipped"].flatMap(runFiles);
  await withRuns(files, async (folder) => {
    const [out, shipped] = [join(folder, "out"), join(folder, "elsewhere", "shipped")];
    const listed = async (shown: string, other = shipped) =>
      (await listShownRuns(shown, out, other)).map(({ name }) => name);
    deepStrictEqual(await listed(join(out, "old")), ["old", "new", "shipped"]);
    deepStrictEqual(await listed(join(folder, "elsewhere", "old")), [
      "old",
      "new",
      join(out, "old"),
      "shipped",
    ]);
    deepStrictEqual(await listed(shipped), ["shipped", "new", "old"]);
    deepStrictEqual(await listed(join(out, "new"), join(folder, "gone")), ["new", "old"]);
  });
});
