import { strictEqual, throws } from "node:assert/strict";
import { DISPLAY, type Displayable, stack } from "@/notebook/displayable.ts";
import { showAlignment, showNextBatch, showPrediction, showRows } from "@/notebook/show_rows.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import { buildTokenizerFiles, SPECIAL_TOKENS } from "@/text/bert_tokenizer_json.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";

const plain = (shown: Displayable) => shown[DISPLAY]()["text/plain"];

Deno.test("showRows() shows class names and marked entities of the first rows", () => {
  const rows = [{ text: "a goal", label: 1 }, { text: "a vote", label: 0 }, {
    text: "x",
    label: 0,
  }];
  strictEqual(
    plain(showRows(rows, { labels: ["World", "Sports"] }, { limit: 2 })),
    "label   text\n──────  ──────\nSports  a goal\nWorld   a vote",
  );
  const tagged = [
    { tokens: ["Ada", "met", "Bob"], tags: [1, 0, 1] },
    { tokens: ["no", "one"], tags: [0, 0] },
  ];
  strictEqual(
    plain(showRows(tagged, { labels: ["O", "B-PER"] })),
    "[Ada PER] met [Bob PER]\nno one",
  );
});

Deno.test("showPrediction() marks entities of all tasks and shows class probabilities", () => {
  const shown = showPrediction({
    text: "Ada won.",
    labels: { news: { label: "Sports", probability: 0.987, probabilities: {} } },
    entities: { names: [{ type: "PER", text: "Ada", start: 0, end: 3, probability: 0.9 }] },
  });
  strictEqual(plain(shown), "[Ada PER] won.\nnews: Sports (98.7 %)");
  strictEqual(plain(stack([shown, shown])).split("\n").length, 4);
});

Deno.test("showNextBatch() lists the tagging tasks if there is no such task", () => {
  const task = (name: string, kind: "classification" | "tagging") =>
    ({ task: { name, kind, labels: [] } }) as unknown as PreparedRun["tasks"][number];
  const run = {
    setup: { tasks: new Map() },
    tasks: [task("news", "classification"), task("names", "tagging")],
  } as unknown as PreparedRun;
  throws(() => showNextBatch(run, "news"), {
    name: "RangeError",
    message: "tagging task news is not one of names",
  });
});

const TOKENS = ["the", "re", "##port", "##ed"];
const { json } = buildTokenizerFiles([...SPECIAL_TOKENS, ...TOKENS], { lowercase: true });
const OPTIONS = { tokenizer: tokenizerFromJson(json), labels: ["O", "B-ORG"] };

Deno.test("showAlignment() labels only the first token of a word", () => {
  const shown = showAlignment({ tokens: ["The", "reported"], tags: [0, 1] }, OPTIONS)[DISPLAY]();
  strictEqual(
    shown["text/plain"],
    [
      "word      tag    tokens          labels",
      "────────  ─────  ──────────────  ─────────",
      "The       O      the             O",
      "reported  B-ORG  re ##port ##ed  B-ORG · ·",
    ].join("\n"),
  );
});

Deno.test("showAlignment() rejects missing rows and rows without words", () => {
  throws(() => showAlignment(undefined, OPTIONS), {
    name: "RangeError",
    message: "cannot align this row: the split has no rows",
  });
  throws(() => showAlignment({ text: "The", label: 0 }, OPTIONS), {
    name: "TypeError",
    message: "cannot align this row: it has a text and a class, not words and tags",
  });
});
