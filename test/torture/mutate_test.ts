import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { stream } from "@/random.ts";
import { isClearError } from "@/torture/clear_error.ts";
import { mutateBytes, mutateJson, mutateSafetensors } from "@/torture/mutate.ts";

const BYTES = Uint8Array.from({ length: 300 }, (_, i) => i % 251 + 1);
const JSON_TEXT = JSON.stringify({ a: { b: [1, 2, 3], c: "text" }, d: 4, e: null });
const draws = Array.from({ length: 300 }, (_, i) => i);
const many = Array.from({ length: 2000 }, (_, i) => i);
const prng = (i: number) => stream(3, "test", i);

Deno.test("mutateBytes() does the same damage for the same stream, and leaves its argument alone", () => {
  const before = BYTES.slice();
  for (const i of draws) {
    deepStrictEqual(mutateBytes(BYTES, prng(i)), mutateBytes(BYTES, prng(i)));
    notDeepStrictEqual(mutateBytes(BYTES, prng(i)).bytes, BYTES, `draw ${i} changes something`);
  }
  deepStrictEqual(BYTES, before);
});

Deno.test("mutateBytes() turns, cuts, blows up, blanks and repeats, at both ends and between", () => {
  const kinds = new Set(draws.map((i) => mutateBytes(BYTES, prng(i)).what.replace(/\d+/g, "#")));
  deepStrictEqual([...kinds].sort(), [
    ...[
      "# bits turned",
      "# bytes at # made #",
      "# bytes at # repeated",
      "a varint of # bytes at #",
    ],
    "cut to # of # bytes",
  ]);
  const lengths = draws.map((i) => mutateBytes(BYTES, prng(i)).bytes.length);
  ok(Math.min(...lengths) < 30 && Math.max(...lengths) > 350, "some are much shorter, some longer");
});

Deno.test("mutateJson() changes type, size or name of one value and keeps the rest", () => {
  const parsed = many.map((i) => mutateJson(JSON_TEXT, prng(i))).flatMap(({ bytes, what }) => {
    try {
      return [{ value: JSON.parse(new TextDecoder().decode(bytes)), what }];
    } catch {
      return []; // damage to the text itself
    }
  });
  ok(parsed.length > 1400 && parsed.length < 2000, `${parsed.length} of 2,000 are still JSON`);
  const of = (pattern: RegExp) => parsed.filter(({ what }) => pattern.test(what));
  deepStrictEqual(of(/^"d" left out$/)[0]?.value, { a: { b: [1, 2, 3], c: "text" }, e: null });
  deepStrictEqual(of(/^"d" renamed$/)[0]?.value, {
    a: { b: [1, 2, 3], c: "text" },
    e: null,
    d_: 4,
  });
  deepStrictEqual(of(/^"e" made \[\]$/)[0]?.value.e, []);
  ok(of(/^list "b" of 3 items/).some(({ value }) => value.a.b.length === 7), "lists grow");
  ok(of(/times 1000000000000$/).length > 0, "numbers grow");
});

Deno.test("mutateSafetensors() puts the length of a damaged header right", () => {
  const header = new TextEncoder().encode(JSON_TEXT);
  const file = new Uint8Array(8 + header.length + 4).fill(7);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  let seen = 0;
  for (const i of draws) {
    const { bytes, what } = mutateSafetensors(file, prng(i));
    if (!what.startsWith("header: ")) continue;
    seen++;
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    strictEqual(length, bytes.length - 12);
    deepStrictEqual([...bytes.subarray(-4)], [7, 7, 7, 7], "data stay");
  }
  ok(seen > 100, `${seen} of 300`);
});

Deno.test("mutateBytes() refuses a file without any", () => {
  throws(() => mutateBytes(new Uint8Array(), prng(0)), {
    message: "Cannot mutate bytes as there must be some: 0",
  });
});

Deno.test("isClearError() takes our words, and neither the engine's nor broken invariants", () => {
  const clear = ["Cannot read tensors as x must be JSON", 'config: unknown key "a"'];
  const unclear = [
    "Cannot read properties of undefined (reading 'as x')",
    "Cannot convert undefined or null to object as: it",
    "internal: no file",
    "x is not a function",
    "Invalid typed array length: 4294967296",
  ];
  deepStrictEqual(clear.map((message) => isClearError(new RangeError(message))), [true, true]);
  deepStrictEqual(unclear.map((message) => isClearError(new TypeError(message))), [
    ...[false, false, false, false, false],
  ]);
  strictEqual(isClearError("Cannot read a as b"), false);
});
