import { PLAIN_SPLIT } from "@/config/presets.ts";
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { carveRows } from "@/data/carve.ts";
import { loadTask } from "@/data/load_task.ts";
import { openLocalSource } from "@/data/local.ts";
import type { DataSource } from "@/data/source.ts";
import { NAME_TASK, TOPIC_TASK, withFolder, writeParquet } from "./fixtures.ts";

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** `count` rows "prefix 0", "prefix 1", … of class 0. */
const texts = (prefix: string, count: number) => ({
  text: range(count).map((index) => `${prefix} ${index}`),
  label: range(count).map(() => 0),
});

const OPTIONS = { seed: 1, validationRows: 3, maxRows: null };

Deno.test("carveRows() chooses rows at random, depending only on seed, split and name", () => {
  const counts = fc.integer({ min: 5, max: 60 });
  fc.assert(fc.property(counts, fc.nat(), fc.integer({ min: 1, max: 80 }), (count, seed, rows) => {
    const options = { rows, seed, split: "validation", name: "x" } as const;
    const { kept, carved } = carveRows(count, options);
    strictEqual(carved.length, Math.min(rows, Math.floor(count / 5)));
    deepStrictEqual([...kept, ...carved].sort((a, b) => a - b), range(count));
    deepStrictEqual([kept, carved], [
      kept.toSorted((a, b) => a - b),
      carved.toSorted((a, b) => a - b),
    ]);
    deepStrictEqual(carveRows(count, options).carved, carved);
  }));
  const carve = (seed: number, split: "validation" | "test", name: string) =>
    carveRows(500, { rows: 50, seed, split, name }).carved.join();
  const choices = [
    carve(1, "validation", "x"),
    carve(2, "validation", "x"),
    carve(1, "validation", "y"),
    carve(1, "test", "x"),
  ];
  strictEqual(new Set(choices).size, 4);
});

Deno.test("carveRows() keeps each class's share and leaves a class with one row in train", () => {
  // 60 rows of class 0, 39 of class 1, 1 of class 2; a fifth is 20 rows: shares 12, 7.8 and 0.2
  const classes = range(100).map((row) => row < 60 ? 0 : row < 99 ? 1 : 2);
  const { carved } = carveRows(100, { rows: 50, seed: 3, split: "test", name: "x", classes });
  const counts = [0, 0, 0];
  for (const row of carved) counts[classes[row] ?? 0] = (counts[classes[row] ?? 0] ?? 0) + 1;
  deepStrictEqual(counts, [12, 8, 0]);
});

Deno.test("carveRows() keeps the rows of a group together", () => {
  const groups = range(100).map((row) => `author ${row % 12}`); // groups of 8 or 9 rows
  for (const seed of range(20)) {
    const { kept, carved } = carveRows(100, { rows: 20, seed, split: "test", name: "x", groups });
    const inKept = new Set(kept.map((row) => groups[row]));
    ok(carved.every((row) => !inKept.has(groups[row])), `seed ${seed}`);
    ok(carved.length >= 16 && carved.length <= 25, `${carved.length} rows`);
  }
});

Deno.test("carveRows() rejects rows that cannot be split", () => {
  const options = { rows: 1, seed: 1, split: "validation", name: "x" } as const;
  throws(() => carveRows(1, options), {
    name: "RangeError",
    message:
      'Cannot carve validation rows from train of "x": it has 1 row, but at least 2 are needed',
  });
  throws(() => carveRows(9, { ...options, rows: 0 }), {
    name: "RangeError",
    message:
      "Cannot carve validation rows: data.validationRows must be an integer above 0, but is 0",
  });
  throws(() => carveRows(9, { ...options, groups: range(9).map(() => "all") }), {
    name: "RangeError",
    message:
      'Cannot carve validation rows from train of "x": all rows belong to one group (split.group)',
  });
});

Deno.test("loadTask() carves validation from train if there is none, never from test", async () => {
  await withFolder(async (dir) => {
    await writeParquet(dir, "news/train.parquet", texts("train", 20));
    await writeParquet(dir, "news/test.parquet", texts("test", 5));
    const source = openLocalSource(dir);
    const data = await loadTask(TOPIC_TASK, { ...OPTIONS, source });
    deepStrictEqual([data.train.length, data.validation.length, data.test.length], [17, 3, 5]);
    ok(
      [...data.train, ...data.validation].every((row) => "text" in row && /^train/.test(row.text)),
    );
    ok(data.test.every((row) => "text" in row && row.text.startsWith("test")));
    deepStrictEqual(data.overlap, { validation: [], test: [] });
    deepStrictEqual(data.notes, ["topics: 3 of 20 training rows were carved off for validation"]);

    const many = await loadTask(TOPIC_TASK, { ...OPTIONS, source, validationRows: 100 });
    deepStrictEqual(many.notes, [
      "topics: 4 of 20 training rows were carved off for validation, a fifth of train instead of the requested 100",
    ]);
  });
});

Deno.test("loadTask() counts and keeps texts that are also in train", async () => {
  await withFolder(async (dir) => {
    const tags = (rows: readonly string[]) => ({
      tokens: rows.map((row) => row.split(" ")),
      ner_tags: rows.map((row) => row.split(" ").map(() => 0)),
    });
    await writeParquet(dir, "words/train.parquet", tags(["a b", "c", "a b"]));
    await writeParquet(dir, "words/validation.parquet", tags(["d", "c"]));
    await writeParquet(dir, "words/test.parquet", tags(["a b", "A b", "a", "c", "a b"]));
    await writeParquet(dir, "other/test.parquet", tags(["x", "c"]));
    const task = { ...NAME_TASK, alsoTest: ["other"] };
    const data = await loadTask(task, { ...OPTIONS, source: openLocalSource(dir) });
    deepStrictEqual(data.overlap, { validation: [1], test: [0, 3, 4], other: [1] });
    deepStrictEqual(data.test.length, 5);
    deepStrictEqual(data.alsoTest, {
      other: [{ tokens: ["x"], tags: [0] }, { tokens: ["c"], tags: [0] }],
    });
    deepStrictEqual(data.notes, [
      "names: 1 of 3 training rows repeat the text of another; they are kept",
      "names: 1 of 2 validation rows have a text that is also in train; they are kept",
      "names: 3 of 5 test rows have a text that is also in train; they are kept",
      "names: 1 of 2 other rows have a text that is also in train; they are kept",
    ]);
  });
});

Deno.test("loadTask() limits every split, and train to a random sample", async () => {
  await withFolder(async (dir) => {
    await writeParquet(dir, "news/train.parquet", texts("train", 60));
    await writeParquet(dir, "news/test.parquet", texts("test", 30));
    const source = openLocalSource(dir);
    const load = (seed: number) => loadTask(TOPIC_TASK, { ...OPTIONS, seed, source, maxRows: 10 });
    const data = await load(1);
    deepStrictEqual([data.train.length, data.validation.length, data.test.length], [10, 3, 10]);
    deepStrictEqual(data.test, range(10).map((index) => ({ text: `test ${index}`, label: 0 })));
    strictEqual(new Set(data.train).size, 10);
    deepStrictEqual((await load(1)).train, data.train);
    ok(JSON.stringify((await load(2)).train) !== JSON.stringify(data.train));
    await rejects(() => loadTask(TOPIC_TASK, { ...OPTIONS, source, maxRows: 0 }), {
      name: "RangeError",
      message: 'Cannot load "topics": data.maxRows must be null or an integer above 0, but is 0',
    });
  });
});

Deno.test("loadTask() does not validate on the split used for testing", async () => {
  await withFolder(async (dir) => {
    await writeParquet(dir, "news/train.parquet", texts("train", 20));
    await writeParquet(dir, "news/validation.parquet", texts("validation", 4));
    const asked: string[] = [];
    const local = openLocalSource(dir);
    const source: DataSource = {
      ...local,
      files(dataset, split) {
        asked.push(split);
        return local.files(dataset, split);
      },
    };
    const split = { validation: "validation", test: "validation", ...PLAIN_SPLIT };
    const data = await loadTask({ ...TOPIC_TASK, split }, { ...OPTIONS, source });
    deepStrictEqual([data.train.length, data.validation.length, data.test.length], [17, 3, 4]);
    ok(data.test.every((row) => "text" in row && row.text.startsWith("validation")));
    deepStrictEqual(asked, ["train", "validation"], "test.parquet was not looked for");

    await rejects(
      () => loadTask({ ...TOPIC_TASK, split: { ...split, test: "train" } }, { ...OPTIONS, source }),
      {
        name: "RangeError",
        message:
          'Cannot load "topics": its split.validation and split.test must not be train, but split is {"validation":"validation","test":"train"}',
      },
    );
  });
});

Deno.test("loadTask() reports the missing split and its location", async () => {
  await withFolder(async (dir) => {
    await writeParquet(dir, "words/train.parquet", { tokens: [["a"]], ner_tags: [[0]] });
    await rejects(() => loadTask(NAME_TASK, { ...OPTIONS, source: openLocalSource(dir) }), {
      name: "NotFound",
      message:
        `Cannot read split validation of "words" (split.validation of task "names"): it is not in data files under ${dir}. ` +
        "It has train (train.parquet). Name the file or its folder after the split: validation.parquet, " +
        "validation-00000-of-00002.parquet, validation/0.parquet. split.validation: null carves it from train",
    });
  });
});
