import { strictEqual, throws } from "node:assert/strict";
import { findPoolingStart, NO_PROMPTS, resolvePrompt } from "@/text/prompts.ts";
import { TOKENIZER } from "./fixture_tokenizer.ts";

const SETTINGS = {
  prompts: { query: "find: ", plain: "" },
  defaultPromptName: "query",
  includePrompt: false,
};

Deno.test("resolvePrompt() prefers an explicit prompt over the default", () => {
  strictEqual(resolvePrompt(SETTINGS), "find: ");
  strictEqual(resolvePrompt(SETTINGS, { promptName: "plain" }), "");
  strictEqual(resolvePrompt(SETTINGS, { prompt: "" }), "");
  strictEqual(resolvePrompt(SETTINGS, { prompt: "find it: " }), "find it: ");
  strictEqual(resolvePrompt(NO_PROMPTS), "");
  strictEqual(resolvePrompt(NO_PROMPTS, { promptName: "document" }), "");
});

Deno.test("resolvePrompt() rejects an unknown name, and a name together with a text", () => {
  for (const promptName of ["Query", "toString"]) {
    throws(() => resolvePrompt(SETTINGS, { promptName }), {
      name: "RangeError",
      message: `Cannot find the prompt "${promptName}": the model's prompts are query, plain`,
    });
  }
  throws(() => resolvePrompt(SETTINGS, { prompt: "", promptName: "plain" }), {
    name: "RangeError",
    message: "Cannot choose a prompt by both name and text: pass only one of them",
  });
});

Deno.test("findPoolingStart() is the position after [CLS] and the prompt, within the maximum length", () => {
  const start = (prompt: string, maxLength = 16, includePrompt = false) =>
    findPoolingStart({ includePrompt }, prompt, { tokenizer: TOKENIZER, maxLength });
  strictEqual(TOKENIZER.encodeText("the railway ").length, 2);
  strictEqual(start("the railway "), 3);
  strictEqual(start("the railway ", 16, true), 0);
  strictEqual(start(""), 0); // no prompt: [CLS] is pooled
  strictEqual(start(" "), 1); // a prompt without tokens still excludes [CLS]
  strictEqual(start("the railway the railway", 4), 3); // only [SEP] remains to be pooled
});
