import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { openLocalSource } from "@/data/local.ts";
import { openDataSource } from "@/data/open_source.ts";
import { withFolder } from "./fixtures.ts";

/** Creates empty files with these names in `folder`. */
async function touch(folder: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await Deno.mkdir(join(folder, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, name), "");
  }
}

Deno.test("openLocalSource() sorts the shards of a split and ignores other files", async () => {
  await withFolder(async (dir) => {
    const shards = [0, 1, 2].map((n) => `train-0000${n}-of-00003.parquet`);
    await touch(
      join(dir, "news"),
      ...shards.toReversed(),
      "test.parquet",
      "train.csv",
      "README.md",
    );
    const source = openLocalSource(dir);
    deepStrictEqual(
      await source.files("news", "train"),
      shards.map((name) => join(dir, "news", name)),
    );
    deepStrictEqual(await source.files("news", "test"), [join(dir, "news", "test.parquet")]);
    deepStrictEqual(await source.files("news", "validation"), []);
    strictEqual(source.describe(), `data files under ${dir}`);
  });
});

Deno.test("openLocalSource() rejects a split with missing shards", async () => {
  await withFolder(async (dir) => {
    const there = ["train-00000-of-00003.parquet", "train-00002-of-00003.parquet"];
    await touch(join(dir, "news"), ...there);
    await rejects(() => openLocalSource(dir).files("news", "train"), {
      name: "RangeError",
      message: `Cannot read split train of ${
        join(dir, "news")
      }: missing shards train-N-of-00003 with N = 1 (of 0 to 2). It has ${there.join(", ")}`,
    });
  });
});

Deno.test("openLocalSource() reads a clone of a repository and follows links to files", async () => {
  await withFolder(async (dir) => {
    const clone = join(dir, "news"), train = "data/train-00000-of-00001.parquet";
    await touch(clone, train, "data/test-00000-of-00001.parquet", ".git/validation.parquet");
    const source = openLocalSource(dir);
    deepStrictEqual(await source.files("news", "train"), [join(clone, train)]);
    deepStrictEqual(await source.files("news", "validation"), []);
    await touch(dir, "kept/x.parquet", "linked/validation.parquet");
    await Deno.symlink(join(dir, "kept"), join(dir, "linked", "train")); // datasets does not follow links to folders
    await Deno.symlink(join(dir, "kept", "x.parquet"), join(dir, "linked", "test.parquet"));
    await Deno.symlink("nowhere", join(dir, "linked", "test_2.parquet"));
    deepStrictEqual(await source.files("linked", "train"), []);
    deepStrictEqual(await source.files("linked", "test"), [join(dir, "linked", "test.parquet")]);
    await Deno.symlink("linked", join(dir, "around"));
    deepStrictEqual(await source.files("around", "test"), [join(dir, "around", "test.parquet")]);
    await Deno.writeTextFile(
      join(clone, "README.md"),
      "---\nconfigs:\n- config_name: default\n  data_files: data/test*\n---\n",
    );
    deepStrictEqual(await source.files("news", "train"), [
      join(clone, "data", "test-00000-of-00001.parquet"),
    ]);
    deepStrictEqual(await source.files("news", "test"), []);
  });
});

Deno.test("openLocalSource() lists the existing folders if a data set is missing", async () => {
  await withFolder(async (dir) => {
    await touch(dir, "new/test.parquet", "a/test.parquet", "file");
    await rejects(() => openLocalSource(dir).files("other", "train"), {
      name: "NotFound",
      message: `Cannot read data set "other": there is no folder ${
        join(dir, "other")
      }. ${dir} contains a, new`,
    });
    await rejects(() => openLocalSource(dir).files("New", "train"), {
      message:
        `Cannot read data set "New": there is no folder ${
          join(dir, "New")
        }. ${dir} contains a, new ` +
        "(did you mean new?)",
    });
    await rejects(() => openLocalSource(join(dir, "new")).files("new", "test"), {
      message: `Cannot read data set "new": there is no folder ${join(dir, "new", "new")}. ` +
        `Use the parent folder of ${join(dir, "new")} instead`,
    });
    const nowhere = join(dir, "nowhere");
    await rejects(() => openLocalSource(nowhere).files("news", "train"), {
      message:
        `Cannot read data set "news": there is no folder ${join(nowhere, "news")}. There is no ` +
        `folder ${nowhere} either`,
    });
    await rejects(() => openLocalSource(join(dir, "a")).files("../b", "test"), {
      name: "RangeError",
      message: `Cannot read data set "../b": its name must be that of a folder in ${
        join(dir, "a")
      }`,
    });
  });
});

Deno.test("openDataSource() opens the sample, a folder or the Hub", () => {
  strictEqual(openDataSource("sample").name, "sample");
  strictEqual(openDataSource("./sample").name, "local");
  strictEqual(openDataSource(null).name, "hub");
});
