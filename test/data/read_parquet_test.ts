import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pl from "nodejs-polars";
import { COLUMN_TYPES, type ColumnType, readColumns } from "@/data/tables/read_parquet.ts";
import { readRows } from "@/data/read_rows.ts";
import { NAME_TASK, TOPIC_TASK, withFolder, writeParquet } from "./fixtures.ts";

const FOLDER = fileURLToPath(new URL("../fixtures/parquet_types", import.meta.url));
const PYARROW = join(FOLDER, "pyarrow.parquet");

const VALUES = {
  text: ["a", "é", null],
  texts: [["a", "b"], ["é"], null],
  integer: [0, 2, null],
  integers: [[0, 1], [2], null],
} as const;

const read = async (path: string, name: string, type: ColumnType) =>
  (await readColumns(path, [{ name, type }]))[0];

Deno.test("readColumns() reads text and integers from every type that can hold them", async () => {
  let seen = 0;
  for (const path of [PYARROW, join(FOLDER, "polars.parquet")]) {
    for (const name of pl.readParquet(path, { nRows: 0 }).columns) {
      const kind = /^(text|texts|integer|integers) /.exec(name)?.[1] as
        | keyof typeof VALUES
        | undefined;
      if (kind === undefined) continue;
      deepStrictEqual(await read(path, name, kind), VALUES[kind], name);
      seen++;
    }
  }
  strictEqual(seen, 37);
  deepStrictEqual(await read(PYARROW, "boolean", "integer"), [0, 1, null]);
  deepStrictEqual(await read(PYARROW, "fixed integers", "integers"), [[0, 1], [2, 0], null]);
  deepStrictEqual(await read(PYARROW, "fixed texts", "texts"), [["a", "b"], ["c", "d"], null]);
  deepStrictEqual(await read(PYARROW, "integer decimal", "real"), [0, 2, null]);
});

Deno.test("readColumns() preserves integers beyond 2^53", async () => {
  deepStrictEqual(await read(PYARROW, "beyond", "integer"), [2n ** 53n + 1n, -(2n ** 63n), 0]);
  deepStrictEqual(await read(PYARROW, "far beyond", "integer"), [
    2n ** 64n - 1n,
    2n ** 53n + 1n,
    1,
  ]);
  deepStrictEqual(await read(PYARROW, "lists beyond", "integers"), [[1, 2n ** 53n + 1n], [], null]);
});

Deno.test("readColumns() reports file, column, type and a remedy for every other type", async () => {
  const cases = [
    ["binary", "text", "binary", "text", "Store it as string"],
    ["fixed binary", "integer", "binary", "integers", "Store it as int64"],
    ["binaries", "texts", "list[binary]", "lists of text", "Store it as list of string"],
    ["date", "text", "date", "text", "Store it as string"],
    ["timestamp", "integer", "datetime[μs]", "integers", "Store it as int64"],
    ["timestamp with zone", "real", "datetime[μs, UTC]", "numbers", "Store it as float64"],
    ["time", "text", "time", "text", "Store it as string"],
    ["duration", "integer", "duration[μs]", "integers", "Store it as int64"],
    ["null", "text", "null", "text", "Store it as string"],
    [
      "struct",
      "text",
      "struct[2]",
      "text",
      "Store the required field in a separate column, as string",
    ],
    [
      "structs",
      "texts",
      "list[struct[2]]",
      "lists of text",
      "Store the required field in a separate column, as list of string",
    ],
    [
      "map",
      "integers",
      "list[struct[2]]",
      "lists of integers",
      "Store the required field in a separate column, as list of int64",
    ],
    ["deep", "texts", "list[list[string]]", "lists of text", "Store it as list of string"],
    ["deep", "text", "list[list[string]]", "text", "Store one value per row, as string"],
    [
      "text enum",
      "integer",
      'enum ("a" in row 0)',
      "integers",
      `Store the index of each label in the task's "labels", from 0, as int64`,
    ],
    [
      "texts string",
      "integers",
      'list[string] ("a" in row 0)',
      "lists of integers",
      `Store the index of each label in the task's "labels", from 0, as list of int64`,
    ],
    [
      "text dictionary",
      "texts",
      'categorical ("a" in row 0)',
      "lists of text",
      "Store it as list of string",
    ],
    ["integer uint64", "text", "uint64", "text", "Store it as string"],
    ["boolean", "real", "boolean", "numbers", "Store it as float64"],
  ] as const;
  for (const [name, wanted, type, says, advice] of cases) {
    const path = name === "text enum" ? join(FOLDER, "polars.parquet") : PYARROW;
    await rejects(read(path, name, wanted), {
      name: "TypeError",
      message:
        `Cannot read ${path}: column "${name}" has type ${type}, but must contain ${says}. ${advice}`,
    });
  }
});

Deno.test("readColumns() never throws polars' own errors, for any pair of types", async () => {
  for (const name of pl.readParquet(PYARROW, { nRows: 0 }).columns) {
    for (const type of Object.keys(COLUMN_TYPES) as ColumnType[]) {
      const found = await read(PYARROW, name, type).catch((error) => {
        ok(
          error.message.startsWith(`Cannot read ${PYARROW}: column "${name}" has type `),
          error.message,
        );
        return [];
      });
      ok(found?.length === 0 || found?.length === 3);
    }
  }
});

for (
  const [name, problem] of [
    ["twice", 'two columns are named "label"; rename one'],
    [
      "extension",
      "a column has the unsupported extension type arrow.json; store it as a plain type, such as string",
    ],
    [
      "decimal256",
      "a column has a decimal type of more than 38 digits; store it as int64 or float64",
    ],
  ] as const
) {
  Deno.test(`readColumns() reports what polars cannot read in ${name}.parquet`, async () => {
    const path = join(FOLDER, `${name}.parquet`);
    await rejects(read(path, "label", "integer"), {
      name: "SyntaxError",
      message: `Cannot read ${path}: ${problem}`,
    });
  });
}

Deno.test("readColumns() reports why a file is not a readable parquet file", async () => {
  await withFolder(async (folder) => {
    const whole = await Deno.readFile(
      await writeParquet(folder, "whole.parquet", { text: ["a"], label: [0] }),
    );
    const bytes = (text: string) => new TextEncoder().encode(text);
    const garbled = whole.slice();
    garbled.fill(255, 4, garbled.length - 8);
    const cases = [
      [bytes(""), "the file is empty"],
      [
        bytes("text,label\na,0\n"),
        'it is not a parquet file: its first bytes are "text" instead of "PAR1"',
      ],
      [whole.subarray(0, -9), "the parquet file is truncated"],
      [bytes("PAR1PAR1"), "the parquet file is truncated"],
      [
        bytes("PARE and what is not to be seen PARE"),
        "the parquet file is encrypted; store it without encryption",
      ],
      [garbled, "the parquet file is damaged or of an unsupported kind; write it again"],
    ] as const;
    const path = join(folder, "a.parquet");
    for (const [content, problem] of cases) {
      await Deno.writeFile(path, content);
      await rejects(read(path, "text", "text"), {
        name: "SyntaxError",
        message: `Cannot read ${path}: ${problem}`,
      });
    }
    await Deno.writeTextFile(
      path,
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    );
    await rejects(read(path, "text", "text"), /is a Git LFS pointer to 9 bytes .* `git lfs pull`/);
    await writeParquet(folder, "a.parquet", { text: ["a"], label: [0] });
    await rejects(read(path, "Labels", "integer"), {
      name: "RangeError",
      message:
        `Cannot read ${path}: it has no column "Labels" (did you mean label?); it has "text", "label"`,
    });
  });
});

Deno.test("readRows() reads labels and tags of every width, and integral floats", async () => {
  await withFolder(async (folder) => {
    const types = [
      pl.Int8,
      pl.Int16,
      pl.Int32,
      pl.UInt8,
      pl.UInt16,
      pl.UInt32,
      pl.UInt64,
      pl.Float32,
      pl.Float64,
    ];
    const path = join(folder, "a.parquet");
    for (const type of types) {
      pl.DataFrame({ text: ["a", "b"], label: [2, 0] })
        .withColumn(pl.col("label").cast(type)).writeParquet(path);
      deepStrictEqual(await readRows([path], TOPIC_TASK), [{ text: "a", label: 2 }, {
        text: "b",
        label: 0,
      }]);
      pl.DataFrame({ tokens: [["a", "b"]], ner_tags: [[1, 2]] })
        .withColumn(pl.col("ner_tags").cast(pl.List(type))).writeParquet(path);
      deepStrictEqual(await readRows([path], NAME_TASK), [{ tokens: ["a", "b"], tags: [1, 2] }]);
    }
    const task = (label: string) => ({ ...TOPIC_TASK, columns: { text: "text string", label } });
    const place = `Cannot use row 0 of ${PYARROW} (counted from 0): `;
    const must = ", but must be an integer from 0 to 2 (A, B, C)";
    await rejects(readRows([PYARROW], task("beyond")), {
      message: `${place}"beyond" is 9007199254740993${must}; 2 more rows are invalid: ` +
        `row 1: "beyond" is -9223372036854775808${must}; row 2: "text string" is null, not a string`,
    });
    const begins = (start: string) => (error: Error) => error.message.startsWith(place + start);
    await rejects(
      readRows([PYARROW], task("far beyond")),
      begins(`"far beyond" is 18446744073709551615${must}`),
    );
    await rejects(readRows([PYARROW], task("not whole")), begins(`"not whole" is 0.5${must}`));
  });
});
