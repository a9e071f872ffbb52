import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { carveValidation } from "@/data/carve_validation.ts";
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

Deno.test("carveValidation() splits the rows in order, depending only on seed and name", () => {
  const rows = fc.uniqueArray(fc.integer(), { minLength: 5, maxLength: 60 });
  fc.assert(fc.property(rows, fc.nat(), fc.integer({ min: 1, max: 80 }), (items, seed, count) => {
    const { train, validation } = carveValidation(items, { rows: count, seed, name: "x" });
    strictEqual(validation.length, Math.min(count, Math.floor(items.length / 5)));
    deepStrictEqual(new Set([...train, ...validation]), new Set(items));
    strictEqual(train.length + validation.length, items.length);
    const inOrder = (part: number[]) => items.filter((item) => part.includes(item));
    deepStrictEqual([train, validation], [inOrder(train), inOrder(validation)]);
    deepStrictEqual(
      carveValidation(items, { rows: count, seed, name: "x" }).validation,
      validation,
    );
  }));
  const carve = (seed: number, name: string) =>
    carveValidation(range(500), { rows: 50, seed, name }).validation.join();
  strictEqual(new Set([carve(1, "x"), carve(2, "x"), carve(1, "y")]).size, 3);
});

Deno.test("carveValidation() rejects rows that cannot be split", () => {
  throws(() => carveValidation([1], { rows: 1, seed: 1, name: "x" }), {
    name: "RangeError",
    message:
      'Cannot carve validation rows from train of "x": at least 2 rows are needed, but it has 1',
  });
  throws(() => carveValidation(range(9), { rows: 0, seed: 1, name: "x" }), {
    name: "RangeError",
    message:
      "Cannot carve validation rows: data.validationRows must be an integer above 0, but is 0",
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
    const split = { validation: "validation", test: "validation" };
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
        `Cannot read split validation of "words" (split.validation of task "names"): it is not in parquet files under ${dir}. ` +
        "It has train (train.parquet). Name the file or its folder after the split: validation.parquet, " +
        "validation-00000-of-00002.parquet, validation/0.parquet. split.validation: null carves it from train",
    });
  });
});
