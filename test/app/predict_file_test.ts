import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { LIMITS } from "@/app/contract.ts";
import { BusyError } from "@/app/page/model_client.ts";
import {
  addPredictions,
  guessColumn,
  guessHeader,
  predictAll,
  readTable,
} from "@/app/page/predict_file.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Returns a prediction whose label is the first character of the text. */
const read = (text: string): TextPrediction => ({
  text,
  labels: { mood: { label: text.slice(0, 1), probability: 0.75, probabilities: {} } },
  entities: { names: [{ type: "PER", text: "Ada", start: 0, end: 3, probability: 0.5 }] },
});

/** Options of predictAll() with a client that records its requests. */
function options(requests: (readonly string[])[]) {
  return {
    client: {
      predict: (texts: readonly string[]) => {
        requests.push(texts);
        return Promise.resolve({ predictions: texts.map(read), tookMs: 1 });
      },
    },
    run: "tiny",
    signal: new AbortController().signal,
    onDone: (_: number) => {},
    wait: (_: number) => Promise.resolve(),
  };
}

Deno.test("readTable() reads .csv and .tsv files as tables and other files line by line", () => {
  deepStrictEqual(readTable("a.CSV", bytesOf("id;text\n1;One, two.\n")), {
    rows: [["id", "text"], ["1", "One, two."]],
    isTable: true,
    delimiter: ";",
  });
  deepStrictEqual(readTable("a.txt", bytesOf('One, "two".\r\n\r\nThree.')).rows, [
    ['One, "two".'],
    [""],
    ["Three."],
  ]);
  throws(() => readTable("a.txt", bytesOf("")), {
    message: "Cannot read a.txt: the file is empty",
  });
  throws(() => readTable("a.xlsx", bytesOf("PK")), {
    message: "Cannot read a.xlsx: it is a spreadsheet; save it as CSV (UTF-8) first",
  });
  throws(() => readTable("a.txt", new Uint8Array([0x63, 0x61, 0x66, 0xe9, 0x0a])), {
    name: "EncodingError",
    message: /^Cannot read file: a\.txt is not UTF-8 \(line 1, byte offset 3 is 0xE9\)/,
  });
});

Deno.test("guessHeader() and guessColumn() find the text column of a table", () => {
  const table = (text: string) => readTable("a.csv", bytesOf(text));
  const reviews = table("id,Review,place\n1,A fine lid.,a very long name of a place far away\n");
  strictEqual(guessHeader(reviews), true);
  strictEqual(guessColumn(reviews, true), 1, "by its name");
  const bare = table("1,The lid broke on the second day.,x\n2,Fine.,y\n");
  strictEqual(guessHeader(bare), false);
  strictEqual(guessColumn(bare, false), 1, "by its length");
  strictEqual(guessHeader(readTable("a.txt", bytesOf("Short\nlines"))), false);
});

Deno.test("predictAll() sends few texts per request, cuts long texts and skips blank ones", async () => {
  const requests: (readonly string[])[] = [], done: number[] = [];
  const texts = ["a", " ", "b".repeat(LIMITS.characters + 1), ...Array(20).fill("c")];
  const predictions = await predictAll(texts, {
    ...options(requests),
    onDone: (count) => done.push(count),
  });
  deepStrictEqual(requests.map(({ length }) => length), [16, 6]);
  strictEqual(requests[0]?.[1]?.length, LIMITS.characters);
  deepStrictEqual(predictions.map((each) => each?.labels["mood"]?.label ?? null), [
    "a",
    null,
    "b",
    ...Array(20).fill("c"),
  ]);
  deepStrictEqual(done, [17, 23, 23]);
});

Deno.test("predictAll() sends no request beyond the server's size limit", async () => {
  const requests: (readonly string[])[] = [];
  await predictAll(Array(16).fill("\u0001".repeat(LIMITS.characters)), options(requests)); // 6 bytes each
  for (const texts of requests) {
    ok(bytesOf(JSON.stringify({ texts, run: "tiny" })).length < LIMITS.bodyBytes);
  }
  strictEqual(requests.flat().length, 16);
});

Deno.test("predictAll() retries while the server is busy, up to a limit or until canceled", async () => {
  const waits: number[] = [];
  let refusals = 2;
  const busy = {
    ...options([]),
    client: {
      predict: (texts: readonly string[]) =>
        refusals-- > 0
          ? Promise.reject(new BusyError("busy"))
          : Promise.resolve({ predictions: texts.map(read), tookMs: 1 }),
    },
    wait: (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
  const [found] = await predictAll(["a"], busy);
  strictEqual(found?.text, "a");
  deepStrictEqual(waits, [1000, 2000]);
  refusals = Infinity;
  await rejects(predictAll(["a"], busy), { name: "BusyError" });
  deepStrictEqual(waits.length, 2 + 5);
  const abort = new AbortController();
  const canceled = predictAll(Array(40).fill("a"), {
    ...options([]),
    signal: abort.signal,
    onDone: () => abort.abort(),
  });
  await rejects(canceled, { name: "AbortError" });
});

Deno.test("addPredictions() appends columns with unused names", async () => {
  const tasks = [
    { name: "mood", kind: "classification", labels: ["a", "b"] },
    { name: "names", kind: "tagging", labels: ["O", "B-PER"] },
  ] as const;
  const table = readTable("a.csv", bytesOf("predicted_mood,text\nx,a\ny,\n"));
  const predictions = await predictAll(["a", ""], options([]));
  deepStrictEqual(addPredictions(table, { predictions, hasHeader: true, model: { tasks } }), [
    ["predicted_mood", "text", "predicted_mood_2", "predicted_mood_probability", "predicted_names"],
    [
      "x",
      "a",
      "a",
      "0.75",
      '[{"type":"PER","text":"Ada","start":0,"end":3,"probability":0.5}]',
    ],
    ["y", "", "", "", ""],
  ]);
  const lines = readTable("a.txt", bytesOf("a\n\n"));
  deepStrictEqual(
    addPredictions(lines, { predictions, hasHeader: false, model: { tasks } })
      .map((row) => row.slice(0, 2)),
    [["text", "predicted_mood"], ["a", "a"], ["", ""]],
  );
});
