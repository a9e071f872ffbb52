import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  type PageState,
  readPageState,
  START,
  TABS,
  writePageState,
} from "@/app/page/page_state.ts";

const MINE: PageState = {
  tab: "read",
  run: "my run",
  text: "Mine & yours",
  sentences: "Mine.\nYours.",
  pooling: "max",
  normalize: null,
  similarity: "dot",
};

Deno.test("writePageState() holds what all tabs show, whichever is open", () => {
  const rest = "run=my+run&text=Mine+%26+yours&sentences=Mine.%0AYours.&pooling=max&similarity=dot";
  for (const tab of TABS) {
    strictEqual(
      writePageState({ ...MINE, tab }),
      tab === "read" ? `#${rest}` : `#tab=${tab}&${rest}`,
    );
  }
  strictEqual(writePageState(START), "");
  strictEqual(writePageState({ ...START, text: "" }), "#text=");
});

Deno.test("readPageState() reads what was written, and ignores what it does not know", () => {
  for (const tab of TABS) {
    const state = { ...MINE, tab };
    deepStrictEqual(readPageState(writePageState(state)), state);
  }
  deepStrictEqual(readPageState(""), START);
  deepStrictEqual(readPageState("#tab=none&pooling=none&similarity=none&color=red"), START);
});
