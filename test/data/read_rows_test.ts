import { deepStrictEqual, rejects } from "node:assert/strict";
import { join } from "node:path";
import pl from "nodejs-polars";
import { readRows } from "@/data/read_rows.ts";
import { NAME_TASK, TOPIC_TASK, withFolder, writeParquet } from "./fixtures.ts";

Deno.test("readRows() reads texts and labels of several files in order", async () => {
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

Deno.test("readRows() reads words and tags, including an entity at the end of a sentence", async () => {
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

/** Invalid columns and the error that they cause; `FILE` is replaced by the file's path. */
const TOPIC_FAULTS = [
  [
    { text: ["a", "b"], label: [0, 3] },
    'Cannot use row 1 of FILE (counted from 0): "label" is 3, but must be an integer from 0 to 2 (A, B, C)',
  ],
  [
    { text: ["a"], label: [-1] },
    'Cannot use row 0 of FILE (counted from 0): "label" is -1, but must be an integer from 0 to 2 (A, B, C)',
  ],
  [
    { text: ["a", "b"], label: [null, 1] },
    'Cannot use row 0 of FILE (counted from 0): "label" is null, but must be an integer from 0 to 2 (A, B, C)',
  ],
  [
    { text: ["a", null], label: [0, 1] },
    'Cannot use row 1 of FILE (counted from 0): "text" is null, not a string',
  ],
  [
    { sentence: ["a"], label: [0] },
    'Cannot read FILE: it has no column "text"; it has "sentence", "label"',
  ],
] as const;

Deno.test("readRows() reports file, row and value of an invalid text row", async () => {
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
    'Cannot use row 0 of FILE (counted from 0): "ner_tags" is [0], but must contain one tag for each of the 2 words of "tokens"',
  ],
  [
    [["a"], ["b"]],
    [[0], null],
    'Cannot use row 1 of FILE (counted from 0): "ner_tags" is null, but must contain one tag for each of the 1 words of "tokens"',
  ],
  [
    [["a"], []],
    [[0], []],
    'Cannot use row 1 of FILE (counted from 0): "tokens" is [], but must contain words',
  ],
  [
    [["a"], null],
    [[0], []],
    'Cannot use row 1 of FILE (counted from 0): "tokens" is null, but must contain words',
  ],
  [
    [["a", null]],
    [[0, 0]],
    'Cannot use row 0 of FILE (counted from 0): word 1 of "tokens" is null, not a string',
  ],
  [
    [["a"]],
    [[5]],
    'Cannot use row 0 of FILE (counted from 0): tag 0 of "ner_tags" is 5, but must be an integer from 0 to 4 (O, B-PER, I-PER, B-LOC, I-LOC)',
  ],
  [
    [["a", "b"], ["c", "d"]],
    [[0, 3], [0, 2]],
    "Cannot use row 1 of FILE (counted from 0): tag 1 is I-PER after O; the tags fit none of IOB1, IOB2, IOBES and BILOU",
  ],
  [
    [["a", "b"]],
    [[3, 2]],
    "Cannot use row 0 of FILE (counted from 0): tag 1 is I-PER after B-LOC; the tags fit none of IOB1, IOB2, IOBES and BILOU",
  ],
] as const;

Deno.test("readRows() reports file, row and value of an invalid tagged row", async () => {
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

Deno.test("readRows() distinguishes a missing file from one without rows", async () => {
  await withFolder(async (folder) => {
    const missing = join(folder, "missing.parquet");
    await rejects(() => readRows([missing], TOPIC_TASK), {
      name: "NotFound",
      message: `Cannot read parquet file: ${missing} does not exist`,
    });
    const empty = await writeParquet(folder, "empty.parquet", { text: [], label: [] }, {
      text: pl.String,
    });
    await rejects(() => readRows([empty], TOPIC_TASK), {
      name: "RangeError",
      message: `Cannot use ${empty}: it has no rows`,
    });
    const whole = await writeParquet(folder, "whole.parquet", { text: ["a"], label: [0] });
    deepStrictEqual(await readRows([empty, whole], TOPIC_TASK), [{ text: "a", label: 0 }]);
  });
});
