import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { DISPLAY, escapeHtml, type Shown, showTable } from "@/notebook/displayable.ts";
import { createNotebookProgress } from "@/notebook/notebook_progress.ts";
import { showBatchRow, showEntities, showTaggedWords } from "@/notebook/show_rows.ts";
import { collate } from "@/text/batches.ts";
import { encodeRows } from "@/text/encode_rows.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { learnVocabulary } from "@/text/vocabulary.ts";

Deno.test("createNotebookProgress() changes one display in place and leaves no times in it", async () => {
  const calls: { text: string; id: string; update: boolean }[] = [];
  let now = 0;
  const view = createNotebookProgress({
    display: (shown, id, update) => {
      calls.push({ text: shown["text/plain"], id, update });
      return Promise.resolve();
    },
    nowMs: () => now,
  });
  view.update({ done: 0, total: 4, label: "train" });
  now = 100;
  view.update({ done: 0.2, total: 4, label: "train" }); // too soon
  now = 1000;
  view.update({ done: 2, total: 4, label: "train", details: ["ag_news 0.50"] });
  now = 2000;
  view.update({ done: 4, total: 4, label: "train" });
  view.update({ done: 1, total: 2, label: "evaluate" });
  await view.finish();
  deepStrictEqual(calls.map(({ text }) => text), [
    "train ░░░░░░░░░░░░░░░░░░░░░░░░ 0/4",
    "train ████████████░░░░░░░░░░░░ 2/4  2.00/s  1 s left  ag_news 0.50",
    "train ████████████████████████ 4/4  2.00/s",
    "train    ████████████████████████ 4/4  2.00/s\nevaluate ████████████░░░░░░░░░░░░ 1/2",
    "train    ████████████████████████ 4/4\nevaluate ████████████░░░░░░░░░░░░ 1/2",
  ]);
  deepStrictEqual(calls.map(({ update }) => update), [false, true, true, true, true]);
  strictEqual(new Set(calls.map(({ id }) => id)).size, 1);
});

Deno.test("createNotebookProgress() fails at the end without a kernel", async () => {
  const view = createNotebookProgress();
  view.update({ done: 0, total: 1, label: "train" });
  await rejects(async () => await view.finish(), {
    message: "notebook progress needs a Jupyter kernel; run this code in a notebook",
  });
});

Deno.test("showTable() right-aligns numbers and counts the rows left out", () => {
  const rows = [
    { text: "a <b>\nline", label: 3, score: 0.93456 },
    { text: "c", label: 10, score: 1 },
    { text: "left out", label: 1, score: 0 },
  ];
  deepStrictEqual(showTable(rows, { limit: 2 })[DISPLAY](), {
    "text/plain": [
      "text        label   score",
      "──────────  ─────  ──────",
      "a <b> line      3  0.9346",
      "c              10       1",
      "and 1 more",
    ].join("\n"),
    "text/html":
      '<table><thead><tr><th align="left" style="text-align: left">text</th><th align="right" style="text-align: right">label</th>' +
      '<th align="right" style="text-align: right">score</th></tr></thead><tbody>' +
      '<tr><td align="left" style="text-align: left">a &lt;b&gt;\nline</td><td align="right" style="text-align: right">3</td><td align="right" style="text-align: right">0.9346</td></tr>' +
      '<tr><td align="left" style="text-align: left">c</td><td align="right" style="text-align: right">10</td><td align="right" style="text-align: right">1</td></tr>' +
      "</tbody></table><p>and 1 more</p>",
  });
});

Deno.test("showTable() shows lists, missing values and selected columns", () => {
  const rows = [{ tags: [1, 0.5], name: null, more: { x: 1 } }, { tags: [] }];
  strictEqual(
    showTable(rows, { columns: ["name", "tags", "more"], digits: 1 })[DISPLAY]()["text/plain"],
    'name  tags   more\n────  ─────  ───────\n      1 0.5  {"x":1}\n',
  );
});

Deno.test("showEntities() marks spans in any order and escapes the text", () => {
  const text = "<Ada> left São Paulo.";
  const { "text/plain": plain, "text/html": html } = showEntities(text, [
    { start: 11, end: 20, type: "LOC" },
    { start: 1, end: 4, type: "PER" },
  ])[DISPLAY]();
  strictEqual(plain, "<[Ada PER]> left [São Paulo LOC].");
  strictEqual(
    html.replace(/ style="[^"]*"/g, ""),
    "<p>&lt;<mark>Ada <small><b>PER</b></small></mark>&gt; left " +
      "<mark>São Paulo <small><b>LOC</b></small></mark>.</p>",
  );
});

Deno.test("showEntities() rejects spans that overlap or leave the text", () => {
  const message = (start: number, end: number) => ({
    name: "RangeError",
    message: `entity spans must not overlap and must be inside the text: got [${start}, ${end})`,
  });
  const mark = (...spans: [number, number][]) => () =>
    showEntities("abcdef", spans.map(([start, end]) => ({ start, end, type: "PER" })));
  throws(mark([0, 3], [2, 4]), message(2, 4));
  throws(mark([3, 7]), message(3, 7));
  throws(mark([2, 2]), message(2, 2));
});

Deno.test("showEntities() keeps every character of the text", () => {
  const strip = (html: string) =>
    html.replace(/ <small><b>PER<\/b><\/small>/g, "").replace(/<[^>]*>/g, "");
  fc.assert(fc.property(
    fc.string({ unit: "grapheme" }),
    fc.uniqueArray(fc.nat(30), { maxLength: 8 }),
    (text, cuts) => {
      const at = cuts.filter((cut) => cut <= text.length).sort((a, b) => a - b);
      const spans = at.slice(1).map((end, i) => ({ start: at[i] ?? 0, end, type: "PER" }));
      const shown: Shown = showEntities(text, spans)[DISPLAY]();
      strictEqual(strip(shown["text/html"]), escapeHtml(text));
      strictEqual(shown["text/plain"].length, text.length + spans.length * "[ PER]".length);
    },
  ));
});

Deno.test("showTaggedWords() marks entities, also at the end of the sentence", () => {
  const shown = showTaggedWords(["In", "São", "Paulo", "met", "Ada"], [
    "O",
    "B-LOC",
    "I-LOC",
    "O",
    "B-PER",
  ]);
  strictEqual(shown[DISPLAY]()["text/plain"], "In [São Paulo LOC] met [Ada PER]");
});

Deno.test("showBatchRow() shows a row of a batch token by token", () => {
  const learned = learnVocabulary(["ada ada wrote wrote"], { size: 100, lowercase: true });
  const tokenizer = tokenizerFromJson(learned.json, learned.config, "test");
  const labels = ["O", "B-PER", "I-PER"];
  const rows = [{ tokens: ["Ada"], tags: [1] }, { tokens: ["Ada", "wrote"], tags: [1, 0] }];
  const { examples } = encodeRows(rows, {
    tokenizer,
    kind: "tagging",
    maxLength: 8,
    windows: "cut",
    prompt: "",
  });
  const { pad: padId, cls: clsId, sep } = tokenizer.ids;
  const ada = examples[0]?.ids[1];
  const batch = collate(examples, { examples: [1, 0], rows: 2, length: 5 }, { padId, clsId });
  strictEqual(examples[0]?.ids.length, 3, "the premise: the word is one token");
  const cells = showBatchRow(batch, 1, { tokenizer, labels })[DISPLAY]()["text/plain"]
    .split("\n").slice(2).map((line) => line.trim().split(/\s+/));
  deepStrictEqual(cells, [
    [`${clsId}`, "[CLS]", "1", "ignored"],
    [`${ada}`, "ada", "1", "B-PER"],
    [`${sep}`, "[SEP]", "1", "ignored"],
    [`${padId}`, "[PAD]", "0", "ignored"],
    [`${padId}`, "[PAD]", "0", "ignored"],
  ]);
});
