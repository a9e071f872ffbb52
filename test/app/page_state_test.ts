import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  INITIAL_STATE,
  type PageState,
  readPageState,
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

Deno.test("writePageState() encodes the state of all tabs, whichever is open", () => {
  const rest = "run=my+run&text=Mine+%26+yours&sentences=Mine.%0AYours.&pooling=max&similarity=dot";
  for (const tab of TABS) {
    strictEqual(
      writePageState({ ...MINE, tab }),
      tab === "read" ? `#${rest}` : `#tab=${tab}&${rest}`,
    );
  }
  strictEqual(writePageState(INITIAL_STATE), "");
  strictEqual(writePageState({ ...INITIAL_STATE, text: "" }), "#text=");
});

Deno.test("readPageState() restores a written state and ignores unknown values", () => {
  for (const tab of TABS) {
    const state = { ...MINE, tab };
    deepStrictEqual(readPageState(writePageState(state)), state);
  }
  deepStrictEqual(readPageState(""), INITIAL_STATE);
  deepStrictEqual(readPageState("#tab=none&pooling=none&similarity=none&color=red"), INITIAL_STATE);
});
