import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { readRows, readSourcedRows } from "@/data/read_rows.ts";
import { openTable } from "@/data/tables/open_table.ts";
import { MAX_LINE } from "@/data/tables/text_stream.ts";
import { NAME_TASK, TOPIC_TASK, withFolder } from "./fixtures.ts";

/** Columns and rows of a file with the given content, and the notes about it. */
async function read(name: string, content: string | Uint8Array, wanted: readonly string[] = []) {
  return await withFolder(async (folder) => {
    const path = join(folder, name);
    await Deno.writeFile(
      path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    const table = await openTable(path, {
      wanted: wanted.map((column) => ({ name: column, type: "label" })),
    }).catch((error) => {
      throw new Error(error.message.replaceAll(path, "FILE"));
    });
    const rows: unknown[] = [];
    try {
      for await (const group of table.rows()) {
        for (const { at, values } of group) rows.push([at, ...Object.values(values)]);
      }
    } catch (error) {
      throw new Error(error instanceof Error ? error.message.replaceAll(path, "FILE") : "");
    }
    return { columns: table.columns, rows, notes: table.notes };
  });
}

Deno.test("openTable() reads CSV with quoting, line ends and byte-order marks of all kinds", async () => {
  const wanted = {
    columns: ["text", "label"],
    rows: [[2, 'say "a, b"\nthen', "x"], [4, "é", "y"]],
    notes: [],
  };
  const text = 'text,label\n"say ""a, b""\nthen",x\né,y\n';
  deepStrictEqual(await read("a.csv", text), wanted);
  deepStrictEqual(await read("a.csv", `\ufeff${text}`), wanted);
  deepStrictEqual(await read("a.CSV", text.trimEnd()), wanted);
  const utf16 = new Uint8Array([
    0xff,
    0xfe,
    ...new Uint8Array(Uint16Array.from(text, (c) => c.charCodeAt(0)).buffer),
  ]);
  deepStrictEqual(await read("a.csv", utf16), wanted);
  const windows = await read("a.csv", "text,label\r\na,x\r\n\r\nb,y\r\n");
  deepStrictEqual(windows.rows, [[2, "a", "x"], [4, "b", "y"]]);
  deepStrictEqual((await read("a.csv", "text,label\ra,x\rb,y\r")).rows, [[2, "a", "x"], [
    3,
    "b",
    "y",
  ]]);
});

Deno.test("openTable() finds the separator and whether there is a header", async () => {
  const semicolons = await read("a.csv", "text;label\nyes, of course;x\nno, never;y\n");
  deepStrictEqual(semicolons, {
    columns: ["text", "label"],
    rows: [[2, "yes, of course", "x"], [3, "no, never", "y"]],
    notes: ["its separator is the semicolon"],
  });
  const tabs = await read("a.tsv", 'text\tlabel\na 5" screen\tx\n"cut\ty\n');
  deepStrictEqual(tabs.rows, [[2, 'a 5" screen', "x"], [3, '"cut', "y"]]); // no quoting
  const bare = await read("a.csv", "3,good\n1,bad\n");
  deepStrictEqual(bare, {
    columns: ["1", "2"],
    rows: [[1, "3", "good"], [2, "1", "bad"]],
    notes: ["it has no header; columns are numbered from 1"],
  });
  const repeated = await read("a.csv", "good,nice\nbad,awful\ngood,fine\n"); // "good" occurs below
  deepStrictEqual([repeated.columns, repeated.rows.length], [["1", "2"], 3]);
  const asked = await read("a.csv", "good,nice\nbad,awful\n", ["1", "2"]);
  deepStrictEqual(asked.rows, [[1, "good", "nice"], [2, "bad", "awful"]]);
  deepStrictEqual((await read("a.csv", "2020,text\n1,a\n", ["2020", "text"])).rows, [[
    2,
    "1",
    "a",
  ]]);
});

Deno.test("openTable() reads JSON Lines and JSON in the usual layouts", async () => {
  const rows = [{ text: "a", label: 1 }, { text: "b", label: "x", more: null }];
  deepStrictEqual(
    await read("a.jsonl", `${JSON.stringify(rows[0])}\n\n${JSON.stringify(rows[1])}`),
    {
      columns: ["text", "label", "more"],
      rows: [[1, "a", 1], [3, "b", "x", null]],
      notes: [],
    },
  );
  for (const content of [rows, { data: rows }, { version: 1, examples: rows }]) {
    const found = await read("a.json", JSON.stringify(content));
    deepStrictEqual(found.rows, [[0, "a", 1], [1, "b", "x", null]]);
  }
  const columns = await read("a.json", JSON.stringify({ text: ["a", "b"], label: [0, 1] }));
  deepStrictEqual(columns.rows, [[0, "a", 0], [1, "b", 1]]);
});

Deno.test("openTable() reads CoNLL columns, documents and comments", async () => {
  const text = "-DOCSTART- -X- -X- O\n\n# sent 1\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\n" +
    "-DOCSTART- -X- -X- O\n\nRome NNP B-NP B-LOC\n# SYM O O\n";
  deepStrictEqual(await read("a.conll", text), {
    columns: ["tokens", "column 2", "column 3", "tags", "document"],
    rows: [
      [4, ["EU", "rejects"], ["NNP", "VBZ"], ["B-NP", "B-VP"], ["B-ORG", "O"], 0],
      [10, ["Rome", "#"], ["NNP", "SYM"], ["B-NP", "O"], ["B-LOC", "O"], 1],
    ],
    notes: [],
  });
  const two = await read("a.conll", "# id = 1\nNew York\tB-LOC\nis\tO\n\n# O\nx\tO\n");
  deepStrictEqual(two.rows, [[2, ["New York", "is"], ["B-LOC", "O"]], [6, ["x"], ["O"]]]);
});

Deno.test("openTable() finds the format of a file whose name does not state it", async () => {
  const expected = {
    "eng.train": ["EU NNP B-ORG\n\nRome NNP B-LOC\n", ["tokens", "column 2", "tags"]],
    "a.txt": ["text;label\na;x\n", ["text", "label"]],
    "b.txt": ["text\tlabel\na, b\tx\n", ["text", "label"]],
    "c.txt": ['{"text":"a"}\n{"text":"b"}\n', ["text"]],
    "d.txt": ['[{"text":"a"}]', ["text"]],
  } as const;
  for (const [name, [content, columns]] of Object.entries(expected)) {
    deepStrictEqual((await read(name, content)).columns, columns, name);
  }
});

const FAULTS: readonly (readonly [name: string, content: string, message: string])[] = [
  ["a.csv", "", "Cannot read FILE: the file is empty"],
  [
    "a.csv",
    "text,label\na,x\nb\n",
    "Cannot read FILE: line 3 has 1 field, but the first line has 2; a field that contains the separator must be in quotation marks",
  ],
  [
    "a.csv",
    'text,label\na,x\n"b,y\nc,z\n',
    "Cannot read FILE: a quotation mark in the row that begins in line 3 is never closed",
  ],
  ["a.jsonl", "\n", "Cannot read FILE: the file is empty"],
  ["a.jsonl", '{"a":1}\n{"a":\n', 'Cannot read FILE: line 2 is not JSON: "{\\"a\\":"'],
  [
    "a.jsonl",
    '[\n{"a":1}\n]\n',
    "Cannot read FILE: line 1 is not JSON; if the file is one JSON document, name it .json",
  ],
  [
    "a.jsonl",
    '{"a":1}\n7\n',
    "Cannot use line 2 of FILE: it is 7, but must be an object with named fields",
  ],
  [
    "a.json",
    '{"a":1}\n{"a":2}\n',
    "Cannot read FILE: it is not JSON, but each line is; name it .jsonl",
  ],
  [
    "a.json",
    '{"name":"x"}',
    'Cannot read FILE: it must contain a list of records, such as [{ "text": …, "label": … }], alone or under one of data, rows, records, examples, train, annotations',
  ],
  ["a.json", "[]", "Cannot read FILE: it has no records"],
  ["a.conll", "-DOCSTART- O\n\n", "Cannot read FILE: it has no sentences"],
  [
    "a.conll",
    "word\n",
    "Cannot read FILE: line 1 has one field, but each line must have a word and its tag, separated by a tab or spaces",
  ],
  [
    "a.conll",
    "a O\nb\n",
    "Cannot read FILE: line 2 has 1 field, but the first word has 2; sentences are separated by blank lines",
  ],
  [
    "a.xlsx",
    "x",
    "Cannot read FILE: neither its name (.parquet, .csv, .tsv, .tab, .jsonl, .ndjson, .json, .conll, .conll03, .conllu, .bio, .iob, .iob2) nor its content shows a known format",
  ],
];

Deno.test("openTable() reports file and line of damaged files", async () => {
  for (const [name, content, message] of FAULTS) {
    await rejects(() => read(name, content), { message }, `${name}: ${content}`);
  }
  await rejects(() => read("a.csv", "text,text\na,x\n", ["text"]), {
    message: 'Cannot read FILE: two columns are named "text"; rename one',
  });
  await withFolder(async (folder) => {
    await rejects(() => openTable(join(folder, "none.csv")), {
      name: "NotFound",
      message: `Cannot read ${join(folder, "none.csv")}: there is no such file`,
    });
    await Deno.mkdir(join(folder, "b.csv"));
    await rejects(() => openTable(join(folder, "b.csv")), {
      name: "IsADirectory",
      message: `Cannot read ${join(folder, "b.csv")}: it is a folder, not a data file`,
    });
  });
});

Deno.test("openTable() refuses a line that is too long in every format of text", async () => {
  const long = "a".repeat(MAX_LINE + 1);
  for (const name of ["a.csv", "a.jsonl", "a.conll"]) {
    const start = name === "a.jsonl" ? "{}" : "x,y B-PER";
    await rejects(() => read(name, `${start}\n${long}\n`), {
      message: `Cannot read FILE: line 2 is longer than ${
        MAX_LINE / 2 ** 20
      } Mi characters; a row of a data set is at most a document`,
    });
  }
});

const inFile = async <T>(name: string, content: string, use: (path: string) => Promise<T>) =>
  await withFolder(async (folder) => {
    const path = join(folder, name);
    await Deno.writeTextFile(path, content);
    return await use(path);
  });

Deno.test("readRows() takes labels by name, index, digits, integral floats and booleans", async () => {
  const read = (content: string, labels: readonly string[]) =>
    inFile("a.csv", content, (path) => readRows([path], { ...TOPIC_TASK, labels }));
  const labelsOf = async (...asked: Parameters<typeof read>) =>
    (await read(...asked)).map((row) => "label" in row ? row.label : null);
  deepStrictEqual(await labelsOf("text,label\na,C\nb, A \n", ["A", "B", "C"]), [2, 0]);
  deepStrictEqual(await labelsOf("text,label\na,1\nb,2.0\n", ["A", "B", "C"]), [1, 2]);
  deepStrictEqual(await labelsOf("text,label\na,1\nb,5.0\n", ["1", "3", "5"]), [0, 2]);
  await inFile("a.jsonl", '{"text":"a","label":true}\n{"text":"b","label":2.0}', async (path) => {
    deepStrictEqual(await readRows([path], TOPIC_TASK), [
      { text: "a", label: 1 },
      { text: "b", label: 2 },
    ]);
    const labels = ["false", "true"];
    const task = { ...TOPIC_TASK, labels };
    await rejects(
      () => readRows([path], task),
      /line 2 of .*"label" is 2, but must be an integer from 0 to 1/,
    );
  });
  await rejects(
    () => read("text,label\na,Sprots\nb,\n", ["Sports", "World"]),
    /^RangeError: Cannot use line 2 of .*a\.csv: "label" is "Sprots", but must be one of Sports, World \(did you mean Sports\?\); 1 more row is invalid: line 3: "label" is empty, but must be/,
  );
  await inFile("a.csv", "text,label\na,A\nb,\n", async (path) => {
    const { rows, notes } = await readSourcedRows([path], TOPIC_TASK, { dropInvalid: true });
    deepStrictEqual([rows.length, rows[0]?.place()], [1, `line 2 of ${path}`]);
    strictEqual(notes.length, 1);
    strictEqual(
      notes[0]?.startsWith(`1 invalid row was left out: line 3 of ${path}: "label" is empty`),
      true,
    );
  });
});

const TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
const NAMES = { ...NAME_TASK, columns: { tokens: "tokens", tags: "tags" }, labels: TAGS };

Deno.test("readRows() converts tag schemes to IOB2 and reports it", async () => {
  // Ada Lovelace saw Rome Oslo: a person of two words, then two places side by side
  const words = ["Ada", "Lovelace", "saw", "Rome", "Oslo"];
  const expected = [{ tokens: words, tags: [1, 2, 0, 3, 3] }];
  const schemes = {
    IOB1: ["I-PER", "I-PER", "O", "I-LOC", "B-LOC"],
    IOB2: ["B-PER", "I-PER", "O", "B-LOC", "B-LOC"],
    IOBES: ["B-PER", "E-PER", "O", "S-LOC", "S-LOC"],
    BILOU: ["B-PER", "L-PER", "O", "U-LOC", "U-LOC"],
  };
  for (const [scheme, tags] of Object.entries(schemes)) {
    const content = words.map((word, index) => `${word} ${tags[index]}\n`).join("");
    await inFile("a.conll", content, async (path) => {
      const { rows, notes } = await readSourcedRows([path], NAMES);
      deepStrictEqual(rows.map(({ row }) => row), expected, scheme);
      deepStrictEqual(
        notes,
        scheme === "IOB2" ? [] : [`${path}: ${scheme} tags were converted to IOB2`],
      );
    });
  }
  await inFile("a.conll", "Ada B-PRE\n", (path) =>
    rejects(() => readRows([path], NAMES), {
      message:
        `Cannot use line 1 of ${path}: tag 0 of "tags" is "B-PRE", but must be O or a tag of PER, LOC (did you mean PER?)`,
    }));
});

Deno.test("readRows() converts character spans of annotation tools to words and tags", async () => {
  const text = "Ada Lovelace saw Rome.";
  const expected = [{ tokens: ["Ada", "Lovelace", "saw", "Rome", "."], tags: [1, 2, 0, 3, 0] }];
  const spans = [{ start: 0, end: 12, label: "PER" }, { start: 17, end: 21, label: "LOC" }];
  const task = { ...NAMES, columns: { tokens: "text", tags: "spans" } };
  const records: readonly unknown[] = [
    [text, { entities: spans.map(({ start, end, label }) => [start, end, label]) }], // spaCy 2
    { text, ents: spans }, // spaCy's Doc.to_json()
    { text, spans, tokens: [] }, // Prodigy
    { id: 7, text, label: spans.map(({ start, end, label }) => [start, end, label]) }, // doccano
    { // Label Studio
      data: { text },
      annotations: [{
        result: spans.map(({ start, end, label }) => ({
          type: "labels",
          value: { start, end, text: text.slice(start, end), labels: [label] },
        })),
      }],
    },
  ];
  for (const record of records) {
    await inFile("a.jsonl", JSON.stringify(record), async (path) => {
      deepStrictEqual(await readRows([path], task), expected, JSON.stringify(record));
    });
    await inFile("a.json", JSON.stringify([record]), async (path) => {
      deepStrictEqual(await readRows([path], task), expected);
    });
  }
  const broken = {
    text,
    spans: [{ start: 0, end: 3, label: "PER" }, { start: 17, end: 20, label: "LOC" }],
  };
  await inFile("a.jsonl", JSON.stringify(broken), async (path) => {
    const { rows, notes } = await readSourcedRows([path], task);
    deepStrictEqual(rows[0]?.row, { tokens: expected[0]?.tokens, tags: [1, 0, 0, 3, 0] });
    deepStrictEqual(notes, [
      `1 of 1 rows have entities that begin or end within a word; they were extended to whole words (first: line 1 of ${path})`,
    ]);
  });
  const overlapping = { text, spans: [spans[0], { start: 4, end: 12, label: "LOC" }] };
  await inFile(
    "a.jsonl",
    JSON.stringify(overlapping),
    (path) =>
      rejects(() => readRows([path], task), {
        message: `Cannot use line 1 of ${path}: the spans 0 to 12 (PER) and 4 to 12 (LOC) overlap`,
      }),
  );
});
