/**
 * Data set statistics of hand-worked rows, and their round trip through a file.
 */
import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { formatDataStatistics } from "@/cli/survey.ts";
import {
  dataStatisticsRows,
  lengthGroups,
  paddingRows,
  readDataStatistics,
} from "@/report/readers/task_outputs.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { openTexts } from "@/train/open_model.ts";
import { encodeTask, loadRunRows } from "@/train/run_data.ts";
import { computeDataStatistics, countEntities, countLengths } from "@/train/data_statistics.ts";

const LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];

/** A task of four rows with 3 + 3 + 7 + 7 tokens. */
const STATISTICS = {
  preset: "quickstart",
  seed: 13,
  batchRows: 2,
  tasks: [{
    task: "names",
    train: 4,
    validation: 1,
    test: 2,
    cutRows: 2,
    cutWords: 5,
    lengths: [{ length: 3, rows: 2 }, { length: 7, rows: 2 }],
    names: { test: 4, unseen: 1 },
  }],
  padding: [
    { name: "padded to 8 tokens", tokens: 20, paddedTokens: 32 },
    { name: "sorted by length", tokens: 20, paddedTokens: 24 },
  ],
};

async function withFile(statistics: unknown, use: (file: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const file = join(dir, "statistics.json");
    await Deno.writeTextFile(file, JSON.stringify(statistics));
    await use(file);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("countLengths() counts each length, in ascending order", () => {
  deepStrictEqual(countLengths([5, 3, 5, 20, 5]), [
    { length: 3, rows: 1 },
    { length: 5, rows: 3 },
    { length: 20, rows: 1 },
  ]);
});

Deno.test("countEntities() counts an entity as unseen unless the same words are an entity in training", () => {
  const train = [{ tokens: ["Anna", "Berg", "left", "Oslo"], tags: [1, 2, 0, 3] }];
  const test = [
    { tokens: ["Anna", "saw", "Anna", "Berg"], tags: [1, 0, 1, 2] }, // unseen: Anna
    { tokens: ["Oslo", "left", "Rome"], tags: [3, 0, 3] }, // unseen: Rome
  ];
  deepStrictEqual(countEntities({ train, test, labels: LABELS }), { test: 4, unseen: 2 });
});

Deno.test("readDataStatistics() reads written statistics and names an invalid key", async () => {
  await withFile(
    STATISTICS,
    async (file) => deepStrictEqual(await readDataStatistics(file), STATISTICS),
  );
  const [task] = STATISTICS.tasks;
  await withFile(
    { ...STATISTICS, tasks: [{ ...task, lengths: [{ length: 0, rows: 2 }] }] },
    (file) =>
      rejects(readDataStatistics(file), {
        name: "RangeError",
        message:
          `Cannot read data set statistics: in ${file}, tasks.0.lengths.0.length must be an ` +
          "integer of at least 1: current value is 0",
      }),
  );
});

Deno.test("data set statistics are formatted as lines, table rows and histogram lengths", () => {
  deepStrictEqual(formatDataStatistics(STATISTICS), [
    "names: 4 training rows, 1 validation rows, 2 test rows",
    "  tokens: median 5, 95th percentile 7, maximum 7", // of 3, 3, 7, 7
    "  truncated training rows: 2, with 5 tagged words cut off",
    "  entities in test: 4, of which unseen in training 25 %",
    "padding per epoch, padded to 8 tokens: 38 %",
    "padding per epoch, sorted by length: 17 %",
  ]);
  deepStrictEqual(lengthGroups(STATISTICS), [{ name: "names", lengths: [3, 3, 7, 7] }]);
  deepStrictEqual(dataStatisticsRows(STATISTICS), [{
    task: "names",
    train: 4,
    validation: 1,
    test: 2,
    "train rows cut": 2,
    "tagged words cut": 5,
    "entities in test": 4,
    "of them not in training (%)": 25,
  }]);
  deepStrictEqual(paddingRows(STATISTICS.padding).map((row) => row["padding (%)"]), [
    37.5,
    100 * (1 - 20 / 24),
  ]);
});

Deno.test("statistics of data sets without entities include truncated rows, but no truncated words", () => {
  const tasks = STATISTICS.tasks.map((task) => ({ ...task, cutWords: 0, names: null }));
  deepStrictEqual(
    formatDataStatistics({ ...STATISTICS, tasks })[2],
    "  truncated training rows: 2",
  );
  const [row] = dataStatisticsRows({ ...STATISTICS, tasks });
  deepStrictEqual([row?.["train rows cut"], row?.["tagged words cut"]], [2, null]);
});

Deno.test("computeDataStatistics() counts truncated rows, also for classification", async () => {
  const config = resolveConfig({ set: ["data.maxRows=12", "model.maxLength=16"] });
  const data = await loadRunRows(config);
  const { tokenizer } = await openTexts(config.model, data.flatMap(({ train }) => train));
  const options = { tokenizer, maxLength: 16, prompt: "" };
  const encoded = await Promise.all(data.map((each) => encodeTask(each, options)));
  const { tasks } = computeDataStatistics(data, encoded, { lengths: [16], rows: 4, seed: 1 });
  for (const { cutRows, cutWords, names, lengths } of tasks) {
    ok(cutRows > 0, "the premise: sentences of the sample are longer than 14 tokens");
    ok(cutRows <= (lengths.find(({ length }) => length === 16)?.rows ?? 0));
    ok(names === null ? cutWords === 0 : cutWords > 0);
  }
});
