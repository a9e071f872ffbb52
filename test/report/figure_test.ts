import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { DOMParser } from "linkedom";
import { scoreClassification } from "@/eval/classification.ts";
import { confusionMatrix, errorBars } from "@/report/figures/score_figures.ts";
import { escapeXml, estimateWidth, frameFigure, roundNumbers } from "@/report/figures/frame.ts";
import { readRun, rows } from "@/report/readers/read_run.ts";
import { isClassification, type RunRecord } from "@/report/readers/run_record.ts";
import { optimizerFigures, taskFigures, trainingFigures } from "@/report/markdown.ts";
import { rateBars } from "@/report/figures/training_figures.ts";
import { type Figure, readDisplaySize } from "@/report/figures/figure.ts";
import { writeSyntheticRun } from "./synthetic_run.ts";

/** Every figure of the synthetic run. */
async function drawAll(): Promise<{ record: RunRecord; figures: Map<string, Figure> }> {
  const dir = await Deno.makeTempDir();
  try {
    await writeSyntheticRun(dir);
    const record = await readRun(dir);
    const figures = new Map([...trainingFigures(record), ...optimizerFigures(record)]);
    for (const [task, splits] of Object.entries(record.summary.scores)) {
      if (!splits.test) continue;
      for (const [name, figure] of taskFigures(task, splits.test, "test")) {
        figures.set(name, figure);
      }
    }
    return { record, figures };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const { record, figures } = await drawAll();
const NAMES = [
  "losses",
  "schedule",
  "gradient-norm",
  "rates",
  "confusion-ag_news",
  "reliability-ag_news",
  "entities-conll2003",
  "errors-conll2003",
];

Deno.test("a run has the expected figures", () => {
  deepStrictEqual([...figures.keys()], NAMES);
});

// Snapshots were checked by eye. UPDATE_SNAPSHOTS=1 writes them again.
for (const name of NAMES) {
  Deno.test(`the figure ${name} matches its snapshot`, async () => {
    const path = new URL(`../fixtures/report/${name}.svg`, import.meta.url);
    const { svg = "" } = figures.get(name) ?? {};
    if (Deno.env.get("UPDATE_SNAPSHOTS") === "1") await Deno.writeTextFile(path, svg);
    strictEqual(svg, await Deno.readTextFile(path));
  });
}

Deno.test("figures are reproducible byte for byte, as SVG and PNG", async () => {
  const again = await drawAll();
  for (const [name, figure] of figures) {
    strictEqual(again.figures.get(name)?.svg, figure.svg, name);
    deepStrictEqual(again.figures.get(name)?.png(), figure.png(), name);
  }
});

Deno.test("figures are plain SVG with at most three decimals, no ids and no external resources", () => {
  for (const [name, { svg }] of figures) {
    ok(!/[="( ,]-?\d*\.\d{4,}/.test(svg.replace(/>[^<]*</g, "><")), `decimals in ${name}`);
    ok(!/ id="|url\(|<image|<style|NaN|undefined|Infinity/.test(svg), `in ${name}`);
    ok(/[↑→]|Predicted class/.test(svg), `axes of ${name} are named`);
  }
});

Deno.test("a PNG is twice the size of its SVG and not empty", () => {
  const figure = figures.get("losses");
  const png = figure?.png() ?? new Uint8Array();
  deepStrictEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const view = new DataView(png.buffer, png.byteOffset);
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(figure?.svg ?? "") ?? [];
  deepStrictEqual([view.getUint32(16), view.getUint32(20)], [
    2 * Number(width),
    2 * Number(height),
  ]);
});

Deno.test("a PNG contains the text of its figure", () => {
  const draw = (title: string) =>
    frameFigure({ title, alt: "a", plot: { height: 40, marks: [] } }).png();
  ok(draw("Loss").length > draw("").length + 500, "the bundled font was not found");
});

Deno.test("a figure displays in a notebook as HTML, PNG and text", () => {
  const figure = figures.get("losses");
  const show = Reflect.get(figure ?? {}, Symbol.for("Jupyter.display"));
  const bundle: Record<string, string> = show.call(figure);
  deepStrictEqual(Object.keys(bundle), ["text/html", "image/png", "text/plain"]);
  deepStrictEqual(Uint8Array.fromBase64(bundle["image/png"] ?? ""), figure?.png());
  // the last logged losses, 2·exp(-39/5) + 0.1 + 0.04·cos(66.3) and so on, as running means of the last two
  const ends = (["ag_news", "conll2003"] as const).map((task) => {
    const logged = rows(record).filter((row) => row.measure === "loss" && row.task === task).slice(
      -2,
    );
    return `${task} ends at ${(logged.reduce((sum, { value }) => sum + value, 0) / 2).toFixed(3)}`;
  });
  strictEqual(
    bundle["text/plain"],
    `Training loss. Cross entropy in nats by training step: ${ends.join(", ")}.`,
  );
});

Deno.test("the HTML of a figure has its size and its escaped alternative text", () => {
  const alt = 'a "b" <i>\nc & d';
  const figure = frameFigure({ title: "t", alt, plot: { height: 40, marks: [] } });
  const shown: Record<string, string> = Reflect.get(figure, Symbol.for("Jupyter.display")).call(
    figure,
  );
  const html = shown["text/html"] ?? "";
  ok(
    html.startsWith('<img alt="t. a &quot;b&quot; &lt;i&gt; c &amp; d" width="720" height="'),
    html.slice(0, 200),
  );
  strictEqual(html.split("\n").length, 1);
  const [, type, data] = /src="data:image\/([a-z+]+);base64,([^"]+)">$/.exec(html) ?? [];
  strictEqual(type, "svg+xml", "the smaller of the two");
  strictEqual(new TextDecoder().decode(Uint8Array.fromBase64(data ?? "")), figure.svg);
});

Deno.test("readDisplaySize() returns the size of the SVG from its PNG, null without a density", () => {
  const png = figures.get("losses")?.png() ?? new Uint8Array();
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(figures.get("losses")?.svg ?? "") ??
    [];
  deepStrictEqual(readDisplaySize(png), { width: Number(width), height: Number(height) });
  // signature and IHDR are 33 bytes, pHYs 21
  const bare = new Uint8Array([...png.subarray(0, 33), ...png.subarray(54)]);
  strictEqual(readDisplaySize(bare), null);
});

Deno.test("confusionMatrix() describes the most frequent confusion", () => {
  const scores = record.summary.scores.ag_news?.test;
  ok(scores && isClassification(scores));
  // every seventh row from 3 on is wrong: rows 3, 10, 17, 24, 31, 38, classes 3, 2, 1, 0, 3, 2; the first of equals
  strictEqual(
    figures.get("confusion-ag_news")?.alt,
    "Accuracy 85.00 %. The most frequent confusion is Business predicted as Sci/Tech, 2 times.",
  );
});

Deno.test("confusionMatrix() omits counts if there are many classes, and labels both axes", () => {
  const labels = Array.from({ length: 9 }, (_, c) => `c${c}`);
  const gold = labels.map((_, c) => c);
  const scores = scoreClassification({ gold, predicted: gold, labels });
  const { svg, alt } = confusionMatrix(scores, { task: "t", split: "test" });
  deepStrictEqual(svg.match(/>100</g)?.length, 9); // the diagonal
  deepStrictEqual(svg.match(/>1</g), null);
  for (const label of labels) deepStrictEqual(svg.split(`>${label}<`).length, 3, label);
  strictEqual(alt, "Accuracy 100.00 %. There are no confusions.");
});

Deno.test("rateBars() merges groups with the same name and rate, and adds their sizes", () => {
  const group = { name: "heads", learningRate: 5e-4, parameters: 1000 };
  const { svg } = rateBars([group, group]);
  deepStrictEqual(svg.match(/5e-4 · [\d,]+/g), ["5e-4 · 2,000"]);
});

Deno.test("a long legend breaks into lines, and an overlong label is truncated", () => {
  const legend = ["a".repeat(40), "b".repeat(40), "c", "d".repeat(200)]
    .map((label) => ({ label, color: "#000000" }));
  const draw = (entries: typeof legend) =>
    frameFigure({ title: "t", alt: "a", legend: entries, plot: { height: 40, marks: [] } }).svg;
  const places = [...draw(legend).matchAll(/<text x="(\d+)" y="(\d+)">([abcd]+…?)</g)]
    .map(([, x, y, label = ""]) => ({ x: Number(x), y: Number(y), label }));
  deepStrictEqual(places.map(({ y }) => y - (places[0]?.y ?? 0)), [0, 0, 20, 40]);
  for (const { x, label } of places) {
    ok(x + estimateWidth(label) <= 704, `${label} leaves the figure`);
  }
  ok(/^d{50,}…$/.test(places[3]?.label ?? ""), "the last label is cut");
  const height = (svg: string) => Number(/height="(\d+)"/.exec(svg)?.[1]);
  strictEqual(height(draw(legend)) - height(draw(legend.slice(2, 3))), 40);
});

Deno.test("errorBars() stacks categories by type and shows the sum", () => {
  const none = { boundary: 0, type: 0, both: 0, missed: 0, invented: 0 };
  const LOC = { ...none, boundary: 3, missed: 2 }, PER = { ...none, invented: 1234 };
  const all = { ...none, boundary: 3, missed: 2, invented: 1234 };
  const { svg, alt } = errorBars({ ...all, perType: { LOC, PER } }, { task: "t", split: "test" });
  strictEqual(alt, "boundary 3, type 0, both 0, missed 2, invented 1,234.");
  deepStrictEqual(svg.match(/>(5|1,234)</g), [">5<", ">1,234<"]);
  ok(svg.includes("1,239 errors by gold entity type"));
  const empty = errorBars({ ...none, perType: {} }, { task: "t", split: "test" });
  ok(!/NaN|undefined/.test(empty.svg), "a run without errors has a figure too");
});

Deno.test("markup in titles and labels is escaped", () => {
  const title = `<script>alert("&'")</script>\u0001`;
  const { svg } = frameFigure({
    title,
    alt: title,
    legend: [{ label: title, color: "#000000" }],
    plot: { height: 40, x: { domain: [title], type: "band", label: title }, marks: [] },
  });
  ok(!svg.includes("<script"));
  const document = new DOMParser().parseFromString(svg, "image/svg+xml");
  strictEqual(document.querySelector("title")?.textContent, `<script>alert("&'")</script>\ufffd`);
});

Deno.test("roundNumbers() rounds attributes but not text", () => {
  strictEqual(
    roundNumbers('<path d="M1.23456,-0.00001L2e-7,7.1"/><text x="3.00049">9.87654</text>'),
    '<path d="M1.235,0L0,7.1"/><text x="3">9.87654</text>',
  );
});

Deno.test("escapeXml() escapes all characters that could end an attribute or an element", () => {
  strictEqual(escapeXml(`a<b>&"'\n\u0000`), "a&lt;b&gt;&amp;&quot;&#39;\n\ufffd");
});

Deno.test("Figure.png() refuses an invalid SVG", async () => {
  const { Figure } = await import("@/report/figures/figure.ts");
  throws(() => new Figure({ svg: "<svg", title: "", alt: "" }).png());
});
