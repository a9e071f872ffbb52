import { strictEqual, throws } from "node:assert/strict";
import { DISPLAY } from "@/notebook/displayable.ts";
import { showAlignment } from "@/notebook/show_alignment.ts";
import { buildTokenizerFiles, SPECIAL_TOKENS } from "@/text/bert_tokenizer_json.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";

const PIECES = ["the", "re", "##port", "##ed"];
const { json } = buildTokenizerFiles([...SPECIAL_TOKENS, ...PIECES], { lowercase: true });
const OPTIONS = { tokenizer: tokenizerFromJson(json), labels: ["O", "B-ORG"] };

Deno.test("showAlignment() asks the first piece of a word for its tag and the others for nothing", () => {
  const shown = showAlignment({ tokens: ["The", "reported"], tags: [0, 1] }, OPTIONS)[DISPLAY]();
  strictEqual(
    shown["text/plain"],
    [
      "word      tag    pieces          asked",
      "────────  ─────  ──────────────  ─────────",
      "The       O      the             O",
      "reported  B-ORG  re ##port ##ed  B-ORG · ·",
    ].join("\n"),
  );
});

Deno.test("showAlignment() refuses a row without words", () => {
  throws(() => showAlignment({ text: "The", label: 0 }, OPTIONS), {
    name: "TypeError",
    message: "Cannot show alignment as the row must have words and tags: it has a text and a label",
  });
});
