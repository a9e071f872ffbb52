import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type PageState, readPageState, writePageState } from "@/app/page/page_state.ts";

const START: PageState = {
  tab: "read",
  text: "An example.",
  sentences: "One.\nTwo.",
  pooling: null,
  normalize: null,
  similarity: "cosine",
};
const MINE: PageState = {
  tab: "read",
  text: "Mine & yours",
  sentences: "Mine.\nYours.",
  pooling: "max",
  normalize: null,
  similarity: "dot",
};

Deno.test("writePageState() tells what the shown tab shows, where it is not as at the start", () => {
  const links = {
    read: "#text=Mine+%26+yours",
    compare: "#tab=compare&sentences=Mine.%0AYours.&pooling=max&similarity=dot",
    report: "#tab=report",
  } as const;
  for (const tab of ["read", "compare", "report"] as const) {
    strictEqual(writePageState({ ...MINE, tab }, START), links[tab]);
  }
  strictEqual(writePageState(START, START), "");
  strictEqual(writePageState({ ...START, text: "" }, START), "#text=");
});

Deno.test("readPageState() reads what was written, and links that tell everything", () => {
  const compared = { ...MINE, tab: "compare" } as const;
  deepStrictEqual(readPageState(writePageState(compared, START), START), {
    ...compared,
    text: START.text,
  });
  const whole =
    "#tab=compare&text=Mine+%26+yours&sentences=Mine.%0AYours.&pooling=max&similarity=dot";
  deepStrictEqual(readPageState(whole, START), compared);
  deepStrictEqual(readPageState("#tab=none&pooling=none&similarity=none", START), START);
});
