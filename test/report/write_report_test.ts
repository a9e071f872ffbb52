import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { relative } from "node:path";
import { writeReport } from "@/report/write_report.ts";
import { syntheticFiles, writeSyntheticRun } from "./synthetic_run.ts";

/** Writes the report of a synthetic run. Returns the content of each file by path. */
async function report(replaced: Readonly<Record<string, string | null>> = {}) {
  const dir = await Deno.makeTempDir();
  try {
    await writeSyntheticRun(dir, replaced);
    const first = await readAll(dir, await writeReport(dir));
    return { first, second: await readAll(dir, await writeReport(dir)), left: await list(dir) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function readAll(dir: string, paths: readonly string[]): Promise<Map<string, Uint8Array>> {
  const read = paths.map(async (path) =>
    [relative(dir, path), await Deno.readFile(path)] as [string, Uint8Array]
  );
  return new Map(await Promise.all(read));
}

const list = async (dir: string) =>
  (await Array.fromAsync(Deno.readDir(dir), ({ name }) => name)).sort();
const text = (files: Map<string, Uint8Array>, name: string) =>
  new TextDecoder().decode(files.get(name));

const { first, second, left } = await report();
const markdown = text(first, "report.md"), html = text(first, "report.html");

Deno.test("writeReport() writes figures as PNG and SVG, Markdown and HTML, and nothing else", () => {
  const names = [
    "confusion-ag_news",
    "reliability-ag_news",
    "entities-conll2003",
    "errors-conll2003",
    "losses",
    "schedule",
    "gradient-norm",
    "rates",
  ];
  deepStrictEqual([...first.keys()], [
    ...names.flatMap((name) => [`figures/${name}.png`, `figures/${name}.svg`]),
    "report.md",
    "report.html",
  ]);
  deepStrictEqual(left, [
    "config.json",
    "environment.json",
    "figures",
    "metrics.jsonl",
    "report.html",
    "report.md",
    "summary.json",
  ]);
});

Deno.test("writeReport() is reproducible byte for byte, in any folder", async () => {
  const elsewhere = await report();
  for (const [name, bytes] of first) {
    deepStrictEqual(second.get(name), bytes, name);
    deepStrictEqual(elsewhere.first.get(name), bytes, name);
  }
});

Deno.test("report.md has the scores with their intervals", () => {
  // 34 of 40 correct: binomial(40, 0.85) has its 2.5 % quantile at 29 and its 97.5 % quantile at 38
  ok(
    markdown.includes("| ag_news | test | 40 | 85.00 | 72.50 – 95.00 | 84.98 | 72.61 – 95.03 |"),
    markdown,
  );
  // correct: PER 0-2, ORG by I-, ORG; predicted 5, gold 4: F1 6/9; strict: 2 correct of 4 predicted and 4 gold
  ok(
    markdown.includes(
      "| conll2003 | test | 4 | 66.67 | 25.00 – 100.00 | 60.00 | 75.00 | 50.00 | 0.00 – 85.71 | 70.00 |",
    ),
  );
  ok(markdown.includes("| conll2003 | conllpp | 4 |"));
  ok(markdown.includes("| conll2003 | test-unseen | 4 |"));
});

Deno.test("report.md has calibration before and after scaling, and errors by category", () => {
  ok(markdown.includes("| ag_news | test | 12.05 | 0.800 | 11.97 |"));
  // B-PER predicted as B-ORG, and an invented B-PER
  ok(markdown.includes("| all | 0 | 1 | 0 | 0 | 1 |"));
  ok(markdown.includes("| PER | 0 | 1 | 0 | 0 | 1 |"));
});

Deno.test("report.md omits scores that a run does not have", async () => {
  const summary = JSON.parse(syntheticFiles()["summary.json"] ?? "");
  for (const splits of Object.values<Record<string, Record<string, unknown>>>(summary.scores)) {
    for (const scores of Object.values(splits)) {
      for (
        const key of ["ece", "bins", "temperature", "scaledEce", "macroF1Interval", "errors"]
      ) delete scores[key];
    }
  }
  const { first } = await report({ "summary.json": JSON.stringify(summary) });
  const bare = text(first, "report.md");
  ok(bare.includes("| ag_news | test | 40 | 85.00 | 72.50 – 95.00 | 84.98 |  |"));
  ok(!/Calibration|invented|figures\/(reliability|errors)/.test(bare), bare);
});

Deno.test("report.md describes the saved model, skipped steps and limits of training", async () => {
  const files = syntheticFiles();
  const summary = JSON.parse(files["summary.json"] ?? "");
  summary.best = { step: 1200, metric: "conll2003.f1", value: 0.9125 };
  const config = JSON.parse(files["config.json"] ?? "");
  config.training.maxSteps = 1600;
  const line = JSON.parse(files["metrics.jsonl"]?.split("\n")[0] ?? "");
  const { first } = await report({
    "summary.json": JSON.stringify(summary),
    "config.json": JSON.stringify(config),
    "metrics.jsonl": JSON.stringify({ ...line, lossScale: 32_768, skipped: 3 }),
  });
  const told = text(first, "report.md");
  for (
    const part of [
      "The saved model is that of step 1,200, the best by conll2003.f1 on validation: 91.25 %.",
      "3 steps were skipped, because a gradient was not finite; the loss scale ended at 32,768.",
      "Training was limited to 1,600 steps.",
      "Learning rates are 25.0 % of their peak at step 10, the only one logged.", // drawn as a dot
    ]
  ) ok(told.includes(part), part);
  ok(/<circle /.test(text(first, "figures/schedule.svg")));
});

Deno.test("writeReport() removes figures of a previous report and keeps other files", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await writeSyntheticRun(dir);
    await writeReport(dir);
    for (const name of ["gone.svg", "gone.png", "notes.txt"]) {
      await Deno.writeTextFile(`${dir}/figures/${name}`, "x");
    }
    await Deno.writeTextFile(`${dir}/gone.svg`, "x"); // not one of the figures
    await writeReport(dir);
    const figures = await list(`${dir}/figures`);
    deepStrictEqual(figures.filter((name) => !first.has(`figures/${name}`)), ["notes.txt"]);
    deepStrictEqual(figures.length, 17); // 8 figures in two formats, and the notes
    ok((await list(dir)).includes("gone.svg"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("report.md has classes, types, groups, data, environment and reproduction", () => {
  for (
    const part of [
      "| World | 81.82 | 90.00 | 85.71 | 10 |", // 9 of 11 predicted, 9 of 10 gold, 18 / 21
      "| ORG | 66.67 | 100.00 | 80.00 | 50.00 | 2 |", // 2 of 3; strict: 1 correct, 2 predicted, 2 gold
      "| layer 0 | 9e-5 | 0.01 | 66,048 | 512 |",
      "| conll2003 | conll2003 | 32 | 4 | 4 | 1 | 0 |",
      "\n\n- an epoch covers ag_news once; conll2003 goes round 10 times",
      "| versions.deno | 2.9.6 |",
      "400 steps over 936,000 tokens in 50.0 s; evaluation took 1.5 s.",
      "One run with seed 13. **This is a sample run**",
      "deno task train --config outputs/synthetic/config.json --out outputs/synthetic-again",
      "| 400 | validation | conll2003 | entity F1 | 66.67 |",
      "](figures/losses.png)",
    ]
  ) ok(markdown.includes(part), part);
});

Deno.test("report.md does not call a run on other data a sample run", async () => {
  const config = JSON.parse(syntheticFiles()["config.json"] ?? "");
  config.data = { dir: "some/data", maxRows: 1200 };
  const { first } = await report({ "config.json": JSON.stringify(config) });
  const other = text(first, "report.md");
  ok(!other.includes("sample run"));
  ok(other.includes("**This run used a part of the data**: at most 1,200 rows of each split."));
  ok(other.includes("pass your own with `--data DIR`"));
});

Deno.test("report.md begins with the main scores, followed by date, commit and command", async () => {
  ok(
    markdown.startsWith(
      "# synthetic\n\n| Task | Score | Percent | 95 % interval | Rows |\n| :--- | :--- | ---: | ---: | ---: |\n" +
        "| ag_news | accuracy, test | 85.00 | 72.50 – 95.00 | 40 |\n",
    ),
    markdown,
  );
  ok(!markdown.includes("| Started |"), "nothing of it was recorded");
  const environment = {
    started: "2026-01-02T03:04:05Z",
    commit: "0123456 with uncommitted changes",
    device: "cpu",
    executor: "native",
    versions: { deno: "2", "fast-check": "4", "nodejs-polars": "1" },
    resumed: [{ step: 1200, changed: {} }],
  };
  const { first } = await report({ "environment.json": JSON.stringify(environment) });
  const told = text(first, "report.md");
  for (
    const part of [
      "| Started | 2026-01-02 03:04 UTC |",
      "| Resumed | step 1,200 |",
      "| Commit | 0123456 with uncommitted changes |",
      "| Command | not recorded |",
      "| versions.nodejs-polars | 1 |",
    ]
  ) ok(told.includes(part), part);
  ok(!told.includes("fast-check"), "a package of tests");
});

Deno.test("report.html is self-contained and includes every figure", () => {
  ok(!/ src=|<link|<script|@import|url\(| href="(?!#)/.test(html), "the page fetches something");
  strictEqual(html.match(/<svg /g)?.length, 8);
  strictEqual(html.match(/<table>/g)?.length, 12);
  ok(html.includes("<title>synthetic</title>"));
  ok(html.includes("prefers-color-scheme: dark") && html.includes('name="viewport"'));
  ok(html.includes('<td class="number">72.50 – 95.00</td>'));
});

Deno.test("markup in labels and notes is escaped in Markdown, HTML and figures", async () => {
  const bad = '<img src=x onerror="alert(1)">|*a*_b_`c`[d](javascript:e)';
  const summary = (syntheticFiles()["summary.json"] ?? "")
    .replaceAll('"Sci/Tech"', JSON.stringify(bad))
    .replace("an epoch covers", JSON.stringify(bad).slice(1, -1));
  const { first } = await report({ "summary.json": summary });
  const page = text(first, "report.html");
  ok(!page.includes("<img") && !/href="[^#]/.test(page), "markup came through");
  // the label is shown unchanged in a table cell, in a note and in a figure
  const shown = bad.replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
  ok(page.includes(`<td class="prose" dir="auto">${shown}</td>`), "label of the class table");
  ok(page.includes(`<li>${shown} ag_news once`), "note");
  ok(text(first, "figures/confusion-ag_news.svg").includes("&lt;img src=x"), "figure");
});

Deno.test("a run without training metrics is reported without training figures", async () => {
  const { first } = await report({ "metrics.jsonl": "" });
  ok(!first.has("figures/losses.png") && first.has("figures/rates.png"));
  ok(text(first, "report.md").includes("| ag_news | test | 40 | 85.00 |"));
});

Deno.test("writeReport() writes nothing if a file is damaged", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await writeSyntheticRun(dir, { "summary.json": "{" });
    await rejects(writeReport(dir), {
      name: "SyntaxError",
      message: new RegExp(`^Cannot read run: ${dir}/summary.json is not valid JSON \\(`),
    });
    deepStrictEqual(await list(dir), [
      "config.json",
      "environment.json",
      "metrics.jsonl",
      "summary.json",
    ]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
