import { strictEqual, throws } from "node:assert/strict";
import { findPoolingStart, NO_PROMPTS, resolvePrompt } from "@/text/prompts.ts";
import { TOKENIZER } from "./fixture_tokenizer.ts";

const SETTINGS = {
  prompts: { query: "find: ", plain: "" },
  defaultPromptName: "query",
  includePrompt: false,
};

Deno.test("resolvePrompt() prefers the prompt asked for to the default one", () => {
  strictEqual(resolvePrompt(SETTINGS), "find: ");
  strictEqual(resolvePrompt(SETTINGS, { promptName: "plain" }), "");
  strictEqual(resolvePrompt(SETTINGS, { prompt: "" }), "");
  strictEqual(resolvePrompt(SETTINGS, { prompt: "find it: " }), "find it: ");
  strictEqual(resolvePrompt(NO_PROMPTS), "");
  strictEqual(resolvePrompt(NO_PROMPTS, { promptName: "document" }), "");
});

Deno.test("resolvePrompt() refuses an unknown name, and a name beside a text", () => {
  for (const promptName of ["Query", "toString"]) {
    throws(() => resolvePrompt(SETTINGS, { promptName }), {
      name: "RangeError",
      message: `Cannot find the prompt "${promptName}": the model's prompts are query, plain`,
    });
  }
  throws(() => resolvePrompt(SETTINGS, { prompt: "", promptName: "plain" }), {
    name: "RangeError",
    message: "Cannot choose a prompt both by its name and by its text: give one",
  });
});

Deno.test("findPoolingStart() is behind [CLS] and the prompt, within the longest input", () => {
  const start = (prompt: string, maxLength = 16, includePrompt = false) =>
    findPoolingStart({ includePrompt }, prompt, { tokenizer: TOKENIZER, maxLength });
  strictEqual(TOKENIZER.encodeText("the railway ").length, 2);
  strictEqual(start("the railway "), 3);
  strictEqual(start("the railway ", 16, true), 0);
  strictEqual(start(""), 0); // no prompt: [CLS] is pooled
  strictEqual(start(" "), 1); // a prompt without a token still takes [CLS] out
  strictEqual(start("the railway the railway", 4), 3); // [SEP] alone is left
});
