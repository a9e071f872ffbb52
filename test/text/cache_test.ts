import { deepStrictEqual, notStrictEqual, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import type { Row } from "@/data/rows.ts";
import { encodeRowsCached, findEncodedFolder, hashEncoding } from "@/text/cache.ts";
import { type EncodeOptions, encodeRows } from "@/text/encode_rows.ts";
import { readEncoded, writeEncoded } from "@/text/encoded_file.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { TOKENIZER } from "./fixture_tokenizer.ts";

const ROWS: Row[] = [
  { tokens: ["The", "railway", "station"], tags: [0, 5, 6] },
  { tokens: [], tags: [] },
  {
    tokens: "the comet ’s tail was longer than they had thought".split(" "),
    tags: Array(10).fill(1),
  },
];
const OPTIONS: EncodeOptions = {
  tokenizer: TOKENIZER,
  kind: "tagging",
  maxLength: 8,
  windows: "overlap",
  prompt: "",
};

Deno.test("readEncoded(writeEncoded()) is the identity", () => {
  const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const array = fc.array(int32, { minLength: 1, maxLength: 9 }).map((values) =>
    Int32Array.from(values)
  );
  const text = fc.record({ row: fc.nat(), ids: array, label: int32 })
    .map(({ row, ids, label }) => ({ row, ids, labels: Int32Array.of(label) }));
  const tagged = fc.record({ row: fc.nat(), ids: array })
    .map(({ row, ids }) => ({
      row,
      ids,
      labels: ids.map((id) => id ^ 1),
      words: ids.map((id) => ~id),
    }));
  const examples = fc.oneof(fc.array(text), fc.array(tagged));
  fc.assert(
    fc.property(examples, fc.nat(), fc.nat(), (examples, cutWords, cutRows) => {
      const encoded = { examples, cutWords, cutRows };
      deepStrictEqual(readEncoded(new Uint8Array(writeEncoded(encoded))), encoded);
    }),
    { seed: 1 },
  );
});

Deno.test("readEncoded() rejects a file if any byte has changed", () => {
  const bytes = writeEncoded(encodeRows(ROWS, OPTIONS));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const damaged = new Uint8Array(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ by;
      throws(() => readEncoded(damaged), SyntaxError);
    }),
    { seed: 1 },
  );
  throws(() => readEncoded(new Uint8Array(bytes.slice(0, 60))), {
    message: "Cannot read encoded rows: the checksum does not match (60 bytes)",
  });
  throws(() => readEncoded(new Uint8Array(3)), {
    message: "Cannot read encoded rows: the file does not begin with STXENC01 (3 bytes)",
  });
});

Deno.test("encodeRowsCached() stores rows, reads them back and re-encodes damaged entries", async () => {
  const folder = await Deno.makeTempDir();
  const plain = encodeRows(ROWS, OPTIONS);
  const first = await encodeRowsCached(ROWS, OPTIONS, { folder });
  deepStrictEqual(first, { ...plain, cached: false, note: null });
  deepStrictEqual(await encodeRowsCached(ROWS, OPTIONS, { folder }), { ...first, cached: true });

  const path = join(folder, `${hashEncoding(ROWS, OPTIONS)}.bin`);
  const size = (await Deno.stat(path)).size;
  await Deno.truncate(path, size - 4);
  deepStrictEqual(await encodeRowsCached(ROWS, OPTIONS, { folder }), {
    ...first,
    note: `Cannot read the cache of encoded rows ${path}, so the rows are encoded again: ` +
      `Cannot read encoded rows: the checksum does not match (${size - 4} bytes)`,
  });
  strictEqual((await encodeRowsCached(ROWS, OPTIONS, { folder })).cached, true);
  deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => join(folder, name)), [path]);
});

Deno.test("encodeRowsCached() works without a cache if it cannot be written", async () => {
  const file = await Deno.makeTempFile();
  const { note, ...rest } = await encodeRowsCached(ROWS, OPTIONS, { folder: join(file, "below") });
  deepStrictEqual(rest, { ...encodeRows(ROWS, OPTIONS), cached: false });
  strictEqual(note?.startsWith("Cannot write the cache of encoded rows "), true);
  strictEqual((await encodeRowsCached(ROWS, OPTIONS, { folder: null })).cached, false);
});

Deno.test("hashEncoding() changes with everything that the encoding depends on", () => {
  const other = tokenizerFromJson(TOKENIZER.json, { do_lower_case: false });
  const keys = [
    hashEncoding(ROWS, OPTIONS),
    hashEncoding(ROWS, { ...OPTIONS, maxLength: 9 }),
    hashEncoding(ROWS, { ...OPTIONS, windows: "cut" }),
    hashEncoding(ROWS, { ...OPTIONS, prompt: "find: " }),
    hashEncoding(ROWS, { ...OPTIONS, tokenizer: other }),
    hashEncoding(ROWS.slice(1), OPTIONS),
    hashEncoding([{ tokens: ["The", "railway station"], tags: [0, 5] }, ...ROWS.slice(1)], OPTIONS),
    hashEncoding([{ text: "a", label: 0 }], OPTIONS),
    hashEncoding([{ text: "a", label: 1 }], OPTIONS),
  ];
  strictEqual(new Set(keys).size, keys.length);
  strictEqual(hashEncoding([...ROWS], { ...OPTIONS }), keys[0]);
});

Deno.test("findEncodedFolder() respects STX_CACHE", () => {
  const before = Deno.env.get("STX_CACHE");
  try {
    Deno.env.set("STX_CACHE", "/elsewhere");
    strictEqual(findEncodedFolder(), join("/elsewhere", "encoded"));
    Deno.env.set("STX_CACHE", "");
    strictEqual(findEncodedFolder(), null);
    Deno.env.delete("STX_CACHE");
    strictEqual(findEncodedFolder()?.endsWith(join(".cache", "encoded")), true);
    notStrictEqual(findEncodedFolder(), null);
  } finally {
    if (before === undefined) Deno.env.delete("STX_CACHE");
    else Deno.env.set("STX_CACHE", before);
  }
});
