import { deepStrictEqual, rejects } from "node:assert/strict";
import { join } from "node:path";
import pl from "nodejs-polars";
import { readRows } from "@/data/read_rows.ts";
import { NAME_TASK, TOPIC_TASK, withFolder, writeParquet } from "./fixtures.ts";

Deno.test("readRows() gives texts and labels of several files in order", async () => {
  await withFolder(async (folder) => {
    const first = await writeParquet(folder, "a.parquet", { text: ["x", ""], label: [2, 0] });
    const second = await writeParquet(folder, "b.parquet", {
      label: [1],
      more: [1.5],
      text: ["é 😀"],
    });
    deepStrictEqual(await readRows([first, second], TOPIC_TASK), [
      { text: "x", label: 2 },
      { text: "", label: 0 },
      { text: "é 😀", label: 1 },
    ]);
  });
});

Deno.test("readRows() gives words and tags, an entity's end in the last word included", async () => {
  await withFolder(async (folder) => {
    const path = await writeParquet(folder, "a.parquet", {
      tokens: [["Ada", "Lovelace", "saw", "Paris"], ["Rome"]],
      ner_tags: [[1, 2, 0, 3], [3]],
    });
    deepStrictEqual(await readRows([path], NAME_TASK), [
      { tokens: ["Ada", "Lovelace", "saw", "Paris"], tags: [1, 2, 0, 3] },
      { tokens: ["Rome"], tags: [3] },
    ]);
  });
});

/** What is wrong with a file's columns, and the error that says so; `FILE` stands for its path. */
const TOPIC_FAULTS = [
  [
    { text: ["a", "b"], label: [0, 3] },
    'Cannot use row 1 of FILE as "label" must be a number from 0 to 2 (A, B, C): current value is 3',
  ],
  [
    { text: ["a"], label: [-1] },
    'Cannot use row 0 of FILE as "label" must be a number from 0 to 2 (A, B, C): current value is -1',
  ],
  [
    { text: ["a", "b"], label: [null, 1] },
    'Cannot use row 0 of FILE as "label" must be a number from 0 to 2 (A, B, C): current value is null',
  ],
  [
    { text: ["a", null], label: [0, 1] },
    'Cannot use row 1 of FILE as "text" must be text: current value is null',
  ],
  [
    { sentence: ["a"], label: [0] },
    'Cannot read FILE as it must have a column "text": it has "sentence", "label"',
  ],
] as const;

Deno.test("readRows() names file, row and value of a faulty text row", async () => {
  await withFolder(async (folder) => {
    for (const [columns, message] of TOPIC_FAULTS) {
      const path = await writeParquet(folder, "faulty.parquet", columns);
      await rejects(() => readRows([path], TOPIC_TASK), {
        name: "RangeError",
        message: message.replace("FILE", path),
      });
    }
  });
});

const TAG_FAULTS = [
  [
    [["a", "b"]],
    [[0]],
    'Cannot use row 0 of FILE as "ner_tags" must hold one tag for each of the 2 words of "tokens": current value is [0]',
  ],
  [
    [["a"], ["b"]],
    [[0], null],
    'Cannot use row 1 of FILE as "ner_tags" must hold one tag for each of the 1 words of "tokens": current value is null',
  ],
  [
    [["a"], []],
    [[0], []],
    'Cannot use row 1 of FILE as "tokens" must hold words: current value is []',
  ],
  [
    [["a"], null],
    [[0], []],
    'Cannot use row 1 of FILE as "tokens" must hold words: current value is null',
  ],
  [
    [["a", null]],
    [[0, 0]],
    'Cannot use row 0 of FILE as word 1 of "tokens" must be text: current value is null',
  ],
  [
    [["a"]],
    [[5]],
    'Cannot use row 0 of FILE as tag 0 of "ner_tags" must be a number from 0 to 4 (O, B-PER, I-PER, B-LOC, I-LOC): current value is 5',
  ],
  [
    [["a", "b"]],
    [[0, 2]],
    'Cannot use row 0 of FILE as tag 1 of "ner_tags" must follow B-PER or I-PER, not O: current value is "I-PER"',
  ],
  [
    [["a"]],
    [[4]],
    'Cannot use row 0 of FILE as tag 0 of "ner_tags" must follow B-LOC or I-LOC, not O: current value is "I-LOC"',
  ],
  [
    [["a", "b"]],
    [[3, 2]],
    'Cannot use row 0 of FILE as tag 1 of "ner_tags" must follow B-PER or I-PER, not B-LOC: current value is "I-PER"',
  ],
] as const;

Deno.test("readRows() names file, row and value of a faulty tagged row", async () => {
  await withFolder(async (folder) => {
    for (const [tokens, ner_tags, message] of TAG_FAULTS) {
      const schema = { tokens: pl.List(pl.String) };
      const path = await writeParquet(folder, "faulty.parquet", { tokens, ner_tags }, schema);
      await rejects(() => readRows([path], NAME_TASK), {
        name: "RangeError",
        message: message.replace("FILE", path),
      });
    }
  });
});

Deno.test("readRows() refuses columns of another type", async () => {
  await withFolder(async (folder) => {
    const path = await writeParquet(folder, "a.parquet", { text: ["a"], label: [0.5] }, {
      label: pl.Float64,
    });
    await rejects(() => readRows([path], TOPIC_TASK), {
      name: "TypeError",
      message: `Cannot read ${path} as column "label" must hold whole numbers: its type is Float64`,
    });
    const words = await writeParquet(folder, "b.parquet", { tokens: ["a b"], ner_tags: [[0, 0]] });
    await rejects(() => readRows([words], NAME_TASK), {
      name: "TypeError",
      message:
        `Cannot read ${words} as column "tokens" must hold lists of text: its type is String`,
    });
  });
});

Deno.test("readRows() tells a missing, a damaged and an empty file apart", async () => {
  await withFolder(async (folder) => {
    const missing = join(folder, "missing.parquet");
    await rejects(() => readRows([missing], TOPIC_TASK), {
      name: "NotFound",
      message: `Cannot read parquet file as the file must exist: ${missing}`,
    });
    const whole = await writeParquet(folder, "whole.parquet", { text: ["a"], label: [0] });
    const damaged = join(folder, "damaged.parquet");
    await Deno.writeFile(damaged, (await Deno.readFile(whole)).subarray(0, -9));
    await rejects(() => readRows([damaged], TOPIC_TASK), {
      name: "SyntaxError",
      message:
        `Cannot read ${damaged} as it must be a whole parquet file: parquet: File out of specification: The file must end with PAR1`,
    });
    const empty = await writeParquet(folder, "empty.parquet", { text: [], label: [] }, {
      text: pl.String,
    });
    await rejects(() => readRows([empty], TOPIC_TASK), {
      name: "RangeError",
      message: `Cannot use ${empty} as it must hold rows: it has none`,
    });
  });
});
