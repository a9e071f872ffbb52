import { deepStrictEqual } from "node:assert/strict";
import { describeSplits, frameOfRows } from "@/data/frames.ts";
import { loadTask } from "@/data/load_task.ts";
import { openSampleSource } from "@/data/local.ts";
import { PRESETS } from "@/config/presets.ts";

Deno.test("frameOfRows() counts words and entity words of a row", () => {
  const labels = ["O", "B-PER", "I-PER"];
  const tagged = [{ tokens: ["Ada", "Lovelace", "left"], tags: [1, 2, 0] }];
  deepStrictEqual(frameOfRows(tagged, { labels }).toRecords(), [
    { text: "Ada Lovelace left", words: 3, named: 2 },
  ]);
  const classified = [{ text: " Rates  rise\nagain ", label: 1 }, { text: "", label: 7 }];
  deepStrictEqual(frameOfRows(classified, { labels: ["World", "Business"] }).toRecords(), [
    { text: " Rates  rise\nagain ", words: 3, label: "Business" },
    { text: "", words: 0, label: "7" }, // labels without a name remain numbers
  ]);
});

Deno.test("describeSplits() counts the rows of each split", async () => {
  const [, task] = PRESETS.quickstart.tasks;
  if (task === undefined) throw new Error("the preset has two tasks");
  const data = await loadTask(task, {
    source: openSampleSource(),
    seed: 1,
    validationRows: 10,
    maxRows: 20,
  });
  deepStrictEqual(describeSplits({ ...data, overlap: { test: [3, 5] } }), {
    task: "conll2003",
    train: 20,
    validation: 20,
    test: 20,
    "test texts in train": 2,
  });
});
