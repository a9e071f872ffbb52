import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { PRESETS } from "@/config/presets.ts";
import { loadTask } from "@/data/load_task.ts";
import { openSampleSource, SAMPLE_FOLDER } from "@/data/local.ts";
import { isTaggedRow, type TaggedRow, type TextRow } from "@/data/rows.ts";
import { generateSample, scoreBaselines, writeSample } from "@/data/sample/write_sample.ts";
import { joinTokens, TAGS } from "@/data/sample/generate.ts";
import { entitySpans } from "@/data/sample/sample_baselines.ts";
import { withFolder } from "./fixtures.ts";

const SAMPLE = generateSample();

Deno.test("writeSample() reproduces the committed files byte for byte", async () => {
  await withFolder(async (folder) => {
    await writeSample(folder);
    let bytes = 0, files = 0;
    const compare = async (path: string) => {
      for await (const { name, isDirectory } of Deno.readDir(join(SAMPLE_FOLDER, path))) {
        const inside = join(path, name);
        if (isDirectory) await compare(inside);
        else {
          const committed = await Deno.readFile(join(SAMPLE_FOLDER, inside));
          deepStrictEqual(await Deno.readFile(join(folder, inside)), committed, inside);
          bytes += committed.length;
          files += 1;
        }
      }
    };
    await compare(".");
    strictEqual(files, 6);
    ok(bytes < 1_000_000, `${bytes} bytes`);
  });
});

Deno.test("generateSample() depends on its seed", () => {
  deepStrictEqual(generateSample().ag_news.test, SAMPLE.ag_news.test);
  ok(generateSample(1).ag_news.test[0]?.text !== SAMPLE.ag_news.test[0]?.text);
});

Deno.test("the sample provides the rows of the quickstart's tasks", async () => {
  const { tasks, data, seed } = PRESETS.quickstart;
  for (const task of tasks) {
    const loaded = await loadTask(task, { ...data, seed, source: openSampleSource() });
    const committed = task.name === "ag_news" ? SAMPLE.ag_news : SAMPLE.conll2003;
    deepStrictEqual(loaded.test, committed.test);
    deepStrictEqual(loaded.overlap, { validation: [], test: [] });
    ok(loaded.validation.length > 0);
  }
});

Deno.test("the sample has balanced topics and short sentences", () => {
  for (const rows of [SAMPLE.ag_news.train, SAMPLE.ag_news.test]) {
    const counts = [0, 1, 2, 3].map((topic) => rows.filter(({ label }) => label === topic).length);
    deepStrictEqual(counts, counts.map(() => rows.length / 4));
  }
  const lengths = SAMPLE.conll2003.train.map(({ tokens }) => tokens.length);
  ok(Math.min(...lengths) >= 8 && Math.max(...lengths) <= 30);
});

Deno.test("no name of the sample's test rows occurs in a training row of either data set", () => {
  const words = (rows: readonly (TextRow | TaggedRow)[]) =>
    rows.map((row) => ` ${isTaggedRow(row) ? joinTokens(row.tokens) : row.text} `).join("\n");
  const train = words([...SAMPLE.ag_news.train, ...SAMPLE.conll2003.train]);
  const namesOf = (rows: readonly TaggedRow[]) =>
    rows.flatMap(({ tokens, tags }) =>
      entitySpans(tags, TAGS).map(({ start, end }) => tokens.slice(start, end).join(" "))
    );
  const trainNames = namesOf(SAMPLE.conll2003.train);
  ok(trainNames.every((name) => train.includes(name)), "the search finds what is there");
  for (const name of [...namesOf(SAMPLE.conll2003.test), ...namesOf(SAMPLE.conll2003.validation)]) {
    ok(!new RegExp(`\\b${RegExp.escape(name)}\\b`).test(train), name);
  }
});

Deno.test("the sample is too hard for bag-of-words classifiers and for name lookup", async () => {
  const scores = scoreBaselines(SAMPLE);
  ok(scores.naiveBayes < 0.9 && scores.naiveBayes > 0.6, `naive Bayes ${scores.naiveBayes}`);
  ok(scores.softmaxRegression < 0.9 && scores.softmaxRegression > 0.6);
  ok(scores.nameList < 0.3, `name list ${scores.nameList}`);
  const readme = await Deno.readTextFile(join(SAMPLE_FOLDER, "README.md"));
  for (const share of [scores.naiveBayes, scores.softmaxRegression, scores.nameList]) {
    ok(readme.includes(`| ${(100 * share).toFixed(1)} % `), `README prints ${share}`);
  }
});

Deno.test("joinTokens() joins tokens to plain text", () => {
  const tokens = [
    '"',
    "No",
    ",",
    '"',
    "said",
    "J.",
    "Doe",
    ",",
    "whose",
    '"',
    "Corp",
    "'s",
    '"',
    "fell",
    ".",
  ];
  strictEqual(joinTokens(tokens), `"No," said J. Doe, whose "Corp's" fell.`);
});
