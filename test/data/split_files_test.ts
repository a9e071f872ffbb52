import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  type DatasetFiles,
  describeSplits,
  findSplitFiles,
  findSplits,
} from "@/data/split_files.ts";

type Case = {
  readonly name: string;
  readonly files: readonly string[];
  readonly card?: string;
  readonly settings?: string;
  readonly splits: Readonly<Record<string, readonly string[]>> | null;
};

const { cases } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/data_splits.json", import.meta.url)),
) as { readonly cases: readonly Case[] };

const describe = (paths: readonly string[], card: string | null = null): DatasetFiles => ({
  where: "data set news",
  paths,
  card,
  settings: null,
});

Deno.test("findSplits() agrees with datasets 5.2.0", () => {
  ok(cases.length > 200);
  for (const { name, files, card = null, settings = null, splits } of cases) {
    const find = () => findSplits({ where: name, paths: files, card, settings });
    if (splits === null && name !== "card: a missing split") {
      throws(find, { message: new RegExp(`^Cannot read ${name.replaceAll("*", "\\*")}: `) }, name);
      continue;
    }
    // Differs from datasets: a split without files is not an error, and a file that matches two patterns is read once.
    const wanted = splits === null ? { train: ["a.parquet"] } : Object.fromEntries(
      Object.entries(splits).map(([split, found]) => [split, [...new Set(found)]]),
    );
    const found = find();
    deepStrictEqual(Object.fromEntries(found), wanted, name);
    deepStrictEqual([...found.keys()], Object.keys(wanted), name);
  }
});

Deno.test("findSplitFiles() finds splits of other names by file name", () => {
  const files = describe([
    "train.parquet",
    "test.parquet",
    "dev.parquet",
    "valid.parquet",
    "heldout_1.parquet",
  ]);
  deepStrictEqual(findSplitFiles(files, "validation"), ["valid.parquet", "dev.parquet"]);
  deepStrictEqual(findSplitFiles(files, "dev"), ["dev.parquet"]);
  deepStrictEqual(findSplitFiles(files, "heldout"), ["heldout_1.parquet"]);
  deepStrictEqual(findSplitFiles(files, "held"), []);
  deepStrictEqual(findSplitFiles(files, "**"), []);
  const clone = describe(["data/train-00000-of-00001.parquet", "test.parquet"]); // test.parquet is not part of it
  deepStrictEqual(findSplitFiles(clone, "test"), []);
  deepStrictEqual(findSplitFiles(describe(["train.txt"]), "train"), []);
  const mixed = describe(["train.csv", "test.csv", "dataset_info.json", "notes/train.json"]);
  deepStrictEqual(findSplitFiles(mixed, "train"), ["train.csv"]); // the most frequent format
  const both = describe(["train.csv", "test.csv", "train.parquet"]);
  deepStrictEqual(findSplitFiles(both, "train"), ["train.parquet"]);
});

Deno.test("findSplitFiles() rejects a split with missing shards", () => {
  const shard = (index: number, total: number) => `data/train-0000${index}-of-0000${total}.parquet`;
  deepStrictEqual(findSplitFiles(describe([shard(1, 2), shard(0, 2)]), "train"), [
    shard(0, 2),
    shard(1, 2),
  ]);
  throws(() => findSplitFiles(describe([shard(2, 3), shard(0, 3)]), "train"), {
    name: "RangeError",
    message:
      "Cannot read split train of data set news: missing shards data/train-N-of-00003 with " +
      `N = 1 (of 0 to 2). It has ${shard(0, 3)}, ${shard(2, 3)}`,
  });
  const one = ["train-1-of-2.parquet", "train-2-of-2.parquet"];
  deepStrictEqual(findSplitFiles(describe(one), "train"), one);
  const faults = [
    [["data/train-00000-of-00002-0a1b2c3d.parquet"], /with N = 1 \(of 0 to 1\)\. /],
    [["train_2_of_2.parquet"], /missing shards train_N-of-2 with N = 1 \(of 1 to 2\)\. /],
    [
      [shard(0, 1), shard(1, 9)],
      /-of-00009 with N = 0, 2, 3, 4, 5, … \(of 0 to 8\)\. /,
    ],
    [["train-0-of-99999999999.parquet"], /with N = 1, 2, 3, 4, 5, … \(of 0 to 99999999998\)\. /],
  ] as const;
  for (const [paths, message] of faults) {
    throws(() => findSplitFiles(describe(paths), "train"), message);
  }
});

Deno.test("describeSplits() lists the splits with their files and explains how to name files", () => {
  const shards = Array.from({ length: 5 }, (_, index) => `train_${index}.parquet`);
  const names =
    "Name the file or its folder after the split: test.parquet, test-00000-of-00002.parquet, test/0.parquet";
  strictEqual(
    describeSplits(describe([...shards, "dev.parquet"]), "test"),
    `It has train (train_0.parquet, train_1.parquet, train_2.parquet and 2 more), validation (dev.parquet). ${names}`,
  );
  strictEqual(
    describeSplits(describe(["train.txt"]), "test"),
    `There is no data file among train.txt. ${names}`,
  );
  strictEqual(describeSplits(describe([]), "test"), `There is no data file. ${names}`);
  const card = "---\nconfigs:\n- config_name: default\n  data_files: a.parquet\n---\n";
  strictEqual(
    describeSplits(describe(["a.parquet"], card), "test"),
    "It has train (a.parquet), according to the configs in its README.md",
  );
});

Deno.test("findSplits() reports errors in README.md", () => {
  const find = (yaml: string) => () => findSplits(describe(["a.parquet"], `---\n${yaml}\n---\n`));
  const start = 'Cannot read data set news: "configs" in its README.md';
  const two = "configs:\n- config_name: a\n- config_name: b";
  const expected = [
    ["configs: x", `${start} is not a list`],
    ["configs:\n- x", `${start} has an entry without config_name`],
    [
      two,
      `${start} has the configurations a, b, but no default. Copy the files of one into a separate folder`,
    ],
    [
      `${two}\n  default: true\n- config_name: default`,
      `${start} marks more than one as the default: b, default`,
    ],
    [
      "configs:\n- config_name: a\n  data_files: 3",
      `${start} has data_files of a in an unknown form`,
    ],
    [
      "configs:\n- config_name: a\n  data_files: b.parquet",
      "Cannot read data set news: no data file matches b.parquet in its README.md",
    ],
    [
      "a: b: c",
      "Cannot read the YAML in README.md of data set news: Nested mappings are not allowed in compact mappings at line 1, column 4",
    ],
  ] as const;
  for (const [yaml, message] of expected) throws(find(yaml), { message });
  deepStrictEqual([...find("license: mit")().keys()], ["train"]);
  for (const folder of [".", "./"]) {
    const here = `configs:\n- config_name: a\n  data_dir: ${folder}`;
    deepStrictEqual([...find(here)().values()], [["a.parquet"]]);
  }
  const odd = ["data/constructor-00000-of-00001.parquet"];
  deepStrictEqual([...findSplits(describe(odd))], [["constructor", odd]]);
});
