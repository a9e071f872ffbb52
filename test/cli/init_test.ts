import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { INIT } from "@/cli/init.ts";
import { readConfigOptions } from "@/cli/config_options.ts";
import { runTaskWith } from "@/cli/run_task.ts";
import { withFolder } from "../data/fixtures.ts";

/** Runs `deno task init` without a terminal; returns its exit code, lines and error lines. */
async function runInit(args: readonly string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  const log = console.log;
  console.log = (line: string) => lines.push(line);
  try {
    const code = await runTaskWith(INIT, args, {
      out: (line) => lines.push(line),
      error: (line) => errors.push(line),
      debug: false,
      onInterrupt: () => () => {},
      nowMs: () => 0,
      exit: () => {},
    });
    return { code, lines, errors };
  } finally {
    console.log = log;
  }
}

/** Ten texts of two classes; a third of them has label "bad". */
const REVIEWS = "text,mood\n" +
  Array.from({ length: 30 }, (_, row) => `"Text number ${row}, here",${row % 3 ? "good" : "bad"}`)
    .join("\n");
const SENTENCES = Array.from(
  { length: 20 },
  (_, row) => `Ada I-PER\nsaw O\n${row} O\nTown${row} I-LOC\n`,
)
  .join("\n");

Deno.test("deno task init writes a configuration that trains on CSV and CoNLL files", async () => {
  await withFolder(async (folder) => {
    const [reviews, people, out] = ["my reviews.csv", "people.conll", "own.json"].map((name) =>
      join(folder, name)
    );
    if (reviews === undefined || people === undefined || out === undefined) throw new Error();
    await Deno.writeTextFile(reviews, REVIEWS);
    await Deno.writeTextFile(people, SENTENCES);
    const { code, lines, errors } = await runInit([reviews, people, "--yes", "--out", out]);
    deepStrictEqual([code, errors], [0, []]);
    strictEqual(lines[0], 'my_reviews: classification of columns "text" and "mood", 30 rows');
    strictEqual(lines.includes("  labels (2): bad 10, good 20"), true);
    strictEqual(lines.includes(`  ${people}: IOB1 tags were converted to IOB2`), true);

    const config = await readConfigOptions({
      config: out,
      preset: undefined,
      set: ["training.maxSteps=1"],
      model: undefined,
      data: undefined,
    });
    deepStrictEqual(
      config.tasks.map(({ name, kind, dataset, labels }) => [name, kind, dataset, labels]),
      [
        ["my_reviews", "classification", reviews, ["bad", "good"]],
        ["people", "tagging", people, ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]],
      ],
    );
    deepStrictEqual(config.tasks[0]?.split, {
      validation: null,
      test: null,
      column: null,
      group: null,
      stratify: true,
    });
    strictEqual(config.data.dir, null);
    match(await Deno.readTextFile(out), /"dataset": "\.\/my reviews\.csv"/);

    const again = await runInit([reviews, "--yes", "--out", out]);
    deepStrictEqual(again.errors, [
      `error: Cannot write ${out}: the file exists; choose another name with --out, or replace it with --overwrite`,
    ]);
  });
});

Deno.test("deno task init joins files of one data set by their names", async () => {
  await withFolder(async (folder) => {
    for (const name of ["mood_train.csv", "mood-test.csv", "eng.train", "eng.testa", "eng.testb"]) {
      await Deno.writeTextFile(join(folder, name), name.startsWith("mood") ? REVIEWS : SENTENCES);
    }
    const out = join(folder, "own.json");
    const files = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name));
    const { code, errors } = await runInit([...files.sort(), "--yes", "--out", out]);
    deepStrictEqual([code, errors], [0, []]);
    const config = await readConfigOptions({
      config: out,
      preset: undefined,
      set: [],
      model: undefined,
      data: undefined,
    });
    deepStrictEqual(
      config.tasks.map((
        { name, dataset, split: { validation, test } },
      ) => [name, dataset, validation, test]),
      [
        ["eng", join(folder, "eng.train"), join(folder, "eng.testa"), join(folder, "eng.testb")],
        ["mood", join(folder, "mood_train.csv"), null, join(folder, "mood-test.csv")],
      ],
    );
  });
});

Deno.test("deno task init explains files that it cannot use, and writes nothing", async () => {
  await withFolder(async (folder) => {
    const cases:
      readonly (readonly [name: string, content: string, error: string, ...args: string[]])[] = [
        ["a.csv", "", "Cannot read FILE: the file is empty"],
        [
          "a.csv",
          "id,n\n1,2\n2,3\n",
          'Cannot use FILE: none of its columns contains texts ("id": integer, 2 different values; "n": integer, 2 different values)',
        ],
        [
          "a.csv",
          "text,label\nsome words,x\nother words,x\n",
          'Cannot use FILE: none of its columns looks like a label beside the text "text" ("text": text, 2 different values; "label": text, 1 different values); a label has at least two different values',
        ],
        [
          "a.csv",
          REVIEWS,
          'Cannot use FILE: it has no column "moods" (did you mean mood?); it has "text", "mood"',
          "--label",
          "moods",
        ],
        [
          "a_test.csv",
          REVIEWS,
          "Cannot train on FILE: its name says that it is not train; give the file of the training rows too",
        ],
      ];
    for (const [name, content, error, ...args] of cases) {
      const path = join(folder, name);
      const out = join(folder, "own.json");
      await Deno.writeTextFile(path, content);
      const { code, errors } = await runInit([path, "--yes", "--out", out, ...args]);
      deepStrictEqual([code, errors], [1, [`error: ${error.replaceAll("FILE", path)}`]], name);
      strictEqual([...Deno.readDirSync(folder)].some((entry) => entry.name === "own.json"), false);
    }
  });
});
