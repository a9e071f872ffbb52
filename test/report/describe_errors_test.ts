import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { composeReport } from "@/report/markdown.ts";
import { readRun } from "@/report/readers/read_run.ts";
import type { PredictionError } from "@/train/choose_errors.ts";
import { syntheticFiles, writeSyntheticRun } from "./synthetic_run.ts";

const ERRORS: readonly PredictionError[] = [
  {
    task: "ag_news",
    split: "test",
    kind: "classification",
    text: "Kettles | <boil>",
    gold: "World",
    predicted: "Sports",
    probability: 0.9,
  },
  {
    task: "conll2003",
    split: "test",
    kind: "tagging",
    words: ["Ada", "Lovelace", "met", "Babbage", "in", "May"],
    gold: ["B-PER", "I-PER", "O", "B-PER", "O", "O"],
    predicted: ["B-PER", "O", "O", "O", "O", "B-ORG"],
  },
];
const LINES = ERRORS.map((error) => JSON.stringify(error) + "\n").join("");

/** Writes the report of the synthetic run with `errors.jsonl` and its data in `dir`. */
async function report(dir: string | null, errors: string | null): Promise<string> {
  const folder = await Deno.makeTempDir();
  const config = JSON.parse(syntheticFiles()["config.json"] ?? "");
  config.data.dir = dir;
  try {
    const files = { "config.json": JSON.stringify(config), "errors.jsonl": errors };
    await writeSyntheticRun(join(folder, "run"), files);
    return composeReport(await readRun(join(folder, "run"))).markdown;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HIDDEN = "Their texts are not shown, because the license of the data set forbids it.";

Deno.test("a report shows errors of the built-in sample with their texts", async () => {
  const markdown = await report("sample", LINES);
  // rows 3, 10, 17, 24, 31 and 38 of 40 are wrong
  ok(markdown.includes("6 of 40 rows are wrong (15.00 %)."), markdown);
  ok(markdown.includes("| Kettles \\| &lt;boil&gt; | World | Sports | 90.00 |"));
  ok(
    markdown.includes(
      "| Ada Lovelace met Babbage in May | Ada Lovelace (PER) → Ada (PER); " +
        "Babbage (PER) → nothing; nothing → May (ORG) |",
    ),
  );
  ok(!markdown.includes(HIDDEN));
});

Deno.test("a report only counts errors if the license of the data set forbids showing texts", async () => {
  for (const dir of [null, "some/folder"]) {
    const markdown = await report(dir, LINES);
    ok(!/Kettles|Lovelace/.test(markdown));
    strictEqual(markdown.split(HIDDEN).length, 3, "once for each task");
    ok(markdown.includes("6 of 40 rows are wrong (15.00 %)."));
    ok(markdown.includes("| Business | Sci/Tech | 2 | 33.33 |"));
  }
});

Deno.test("a report notes unrecorded texts of errors, but only if there are errors", async () => {
  const told = "Their texts were not recorded with this run.";
  ok((await report("sample", null)).includes(told));
  const none = await report("sample", "");
  deepStrictEqual([none.includes(told), none.includes(HIDDEN)], [false, false]);
});
