import { strictEqual, throws } from "node:assert/strict";
import { DISPLAY } from "@/notebook/displayable.ts";
import { showAlignment } from "@/notebook/show_alignment.ts";
import { buildTokenizerFiles, SPECIAL_TOKENS } from "@/text/bert_tokenizer_json.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";

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
