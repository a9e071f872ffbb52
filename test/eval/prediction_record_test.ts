import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import {
  formatPredictions,
  parsePredictions,
  type PredictionRecord,
  readPredictions,
  recordPredictions,
  writePredictions,
} from "@/eval/prediction_record.ts";
import { stream } from "@/random.ts";

const TAGS = ["O", "B-PER", "I-PER"];
const TOPICS: PredictionRecord = {
  task: "ag",
  split: "test",
  labels: ["World", "Sports"],
  kind: "classification",
  gold: [0, 1, 1],
  predicted: [0, 0, 1],
  probability: [0.9813, 0.5, 1],
};
const ENTITIES: PredictionRecord = {
  task: "conll",
  split: "test",
  labels: TAGS,
  kind: "tagging",
  gold: [[1, 2, 0], [0]],
  predicted: [[1, 2, 0], [1]],
};

Deno.test("recordPredictions() saves labels and the probability of the predicted class, but no text", () => {
  const rows = [{ text: "secret", label: 0 }, { text: "words", label: 1 }, { text: "!", label: 1 }];
  const probabilities = [[0.98127, 0.01873], [0.5, 0.5], [0, 1]].map((p) => Float32Array.from(p));
  const subject = { task: "ag", split: "test", labels: ["World", "Sports"] };
  const record = recordPredictions(subject, rows, {
    kind: "classification",
    classes: [0, 0, 1],
    probabilities,
  });
  deepStrictEqual(record, TOPICS);
  const tagged = [{ tokens: ["secret", "words", "!"], tags: [1, 2, 0] }, {
    tokens: ["."],
    tags: [0],
  }];
  const tagging = recordPredictions({ task: "conll", split: "test", labels: TAGS }, tagged, {
    kind: "tagging",
    tags: [[1, 2, 0], [1]],
  });
  deepStrictEqual(tagging, ENTITIES);
  ok(!/secret|words/.test(formatPredictions(record) + formatPredictions(tagging)));
});

Deno.test("formatPredictions() writes a header and one line per row", () => {
  strictEqual(
    formatPredictions(TOPICS),
    `{"task":"ag","split":"test","kind":"classification","labels":["World","Sports"],"rows":3}
[0,0,0.9813]
[1,0,0.5]
[1,1,1]
`,
  );
  strictEqual(
    formatPredictions(ENTITIES),
    `{"task":"conll","split":"test","kind":"tagging","labels":["O","B-PER","I-PER"],"rows":2}
["120"]
["0","1"]
`,
  );
});

Deno.test("parsePredictions() restores what formatPredictions() wrote, for any tag index", () => {
  const labels = Array.from({ length: 300 }, (_, tag) => `B-${tag}`);
  const tags = fc.nat(299); // tag 44 is a backslash; tags from 79 on are beyond ASCII
  const rows = fc.array(fc.array(fc.tuple(tags, tags), { maxLength: 6 }), { maxLength: 5 });
  fc.assert(fc.property(rows, (words) => {
    const record: PredictionRecord = {
      task: "t",
      split: "s",
      labels,
      kind: "tagging",
      gold: words.map((row) => row.map(([gold]) => gold)),
      predicted: words.map((row) => row.map(([, given]) => given)),
    };
    deepStrictEqual(parsePredictions(formatPredictions(record), "f"), record);
  }));
  deepStrictEqual(parsePredictions(formatPredictions(TOPICS), "f"), TOPICS);
});

Deno.test("predictions of the test splits of the main job stay below 300 kB", () => {
  const prng = stream(1, "size");
  const topics: PredictionRecord = {
    ...{ task: "ag_news", split: "test", labels: ["World", "Sports", "Business", "Sci/Tech"] },
    kind: "classification",
    gold: Array.from({ length: 7600 }, () => prng.below(4)),
    predicted: Array.from({ length: 7600 }, () => prng.below(4)),
    probability: Array.from({ length: 7600 }, () => Number(prng.uniform().toFixed(4))),
  };
  // 46,435 words in 3,453 sentences; a fifth of the sentences differ somewhere, more than in any run
  const gold = Array.from(
    { length: 3453 },
    (_, row) => new Array<number>(row % 2 ? 13 : 14).fill(0),
  );
  const predicted = gold.map((tags, row) => row % 5 ? tags : tags.with(3, 8));
  const subject = { task: "conll2003", split: "test", labels: Array.from({ length: 9 }, String) };
  const entities: PredictionRecord = { ...subject, kind: "tagging", gold, predicted };
  const sizes = [topics, entities].map((record) => formatPredictions(record).length);
  ok(gold.flat().length > 46_435 && sizes.reduce((a, b) => a + b) < 300_000, `${sizes}`);
});

Deno.test("predictions are read back from a run's folder; a run without them has none", async () => {
  const dir = await Deno.makeTempDir();
  try {
    deepStrictEqual(await readPredictions(dir), []);
    strictEqual(await writePredictions(dir, ENTITIES), join("predictions", "conll.test.jsonl"));
    const odd = { ...TOPICS, task: "a/b", split: ".." }; // file names must stay inside the folder
    strictEqual(await writePredictions(dir, odd), join("predictions", "a%2Fb....jsonl"));
    await writePredictions(dir, { ...ENTITIES, predicted: ENTITIES.gold } as PredictionRecord);
    deepStrictEqual(await readPredictions(dir), [
      odd,
      { ...ENTITIES, predicted: ENTITIES.gold }, // the last one written
    ]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

const TEXT = formatPredictions(ENTITIES);
const WRONG: readonly (readonly [what: string, text: string, message: string])[] = [
  [
    "a file cut short",
    TEXT.slice(0, -4),
    "Cannot read predictions: f must have 2 rows after its header, but has 1",
  ],
  [
    "a missing row",
    TEXT.replace('["120"]\n', ""),
    "Cannot read predictions: f must have 2 rows after its header, but has 1",
  ],
  [
    "a missing header",
    '["120"]\n',
    "Cannot read predictions: line 1 of f must have task, split, kind, labels and rows, but is " +
    '["120"]',
  ],
  [
    "a tag without a label",
    TEXT.replace("120", "130"),
    "Cannot read predictions: line 2 of f must be equally many gold and predicted tags, " +
    'each below 3, but is ["130"]',
  ],
  [
    "rows that do not match",
    TEXT.replace('"0","1"', '"0","11"'),
    "Cannot read predictions: line 3 of f must be equally many gold and predicted tags, " +
    'each below 3, but is ["0","11"]',
  ],
  [
    "a class without a label",
    formatPredictions(TOPICS).replace("[1,0,0.5]", "[1,2,0.5]"),
    "Cannot read predictions: line 3 of f must be [gold, predicted, probability] with labels " +
    "below 2, but is [1,2,0.5]",
  ],
  [
    "a row of another kind",
    TEXT.replace('["120"]', "[1,2,0.5]"),
    "Cannot read predictions: line 2 of f must be gold and predicted tags, but is [1,2,0.5]",
  ],
];

for (const [what, text, message] of WRONG) {
  Deno.test(`parsePredictions() refuses ${what}`, () => {
    throws(() => parsePredictions(text, "f"), { name: "SyntaxError", message });
  });
}
