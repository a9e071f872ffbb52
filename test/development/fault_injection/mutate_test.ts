import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { stream } from "@/random.ts";
import { isClearError } from "@/development/fault_injection/clear_error.ts";
import {
  mutateBytes,
  mutateJson,
  mutateSafetensors,
} from "@/development/fault_injection/mutate.ts";

const BYTES = Uint8Array.from({ length: 300 }, (_, i) => i % 251 + 1);
const JSON_TEXT = JSON.stringify({ a: { b: [1, 2, 3], c: "text" }, d: 4, e: null });
const draws = Array.from({ length: 300 }, (_, i) => i);
const many = Array.from({ length: 2000 }, (_, i) => i);
const prng = (i: number) => stream(3, "test", i);

Deno.test("mutateBytes() is reproducible and does not change its argument", () => {
  const before = BYTES.slice();
  for (const i of draws) {
    deepStrictEqual(mutateBytes(BYTES, prng(i)), mutateBytes(BYTES, prng(i)));
    notDeepStrictEqual(mutateBytes(BYTES, prng(i)).bytes, BYTES, `draw ${i} changes something`);
  }
  deepStrictEqual(BYTES, before);
});

Deno.test("mutateBytes() flips, truncates, overwrites, blanks and repeats bytes anywhere in a file", () => {
  const kinds = new Set(draws.map((i) => mutateBytes(BYTES, prng(i)).what.replace(/\d+/g, "#")));
  deepStrictEqual([...kinds].sort(), [
    ...[
      "# bits flipped",
      "# bytes at # repeated",
      "# bytes at # set to #",
      "a varint of # bytes at #",
    ],
    "cut to # of # bytes",
  ]);
  const lengths = draws.map((i) => mutateBytes(BYTES, prng(i)).bytes.length);
  ok(Math.min(...lengths) < 30 && Math.max(...lengths) > 350, "some are much shorter, some longer");
});

Deno.test("mutateJson() changes the type, size or key of one value and keeps the rest", () => {
  const parsed = many.map((i) => mutateJson(JSON_TEXT, prng(i))).flatMap(({ bytes, what }) => {
    try {
      return [{ value: JSON.parse(new TextDecoder().decode(bytes)), what }];
    } catch {
      return []; // the damage is to the bytes of the text
    }
  });
  ok(parsed.length > 1400 && parsed.length < 2000, `${parsed.length} of 2,000 are still JSON`);
  const of = (pattern: RegExp) => parsed.filter(({ what }) => pattern.test(what));
  deepStrictEqual(of(/^"d" removed$/)[0]?.value, { a: { b: [1, 2, 3], c: "text" }, e: null });
  deepStrictEqual(of(/^"d" renamed$/)[0]?.value, {
    a: { b: [1, 2, 3], c: "text" },
    e: null,
    d_: 4,
  });
  deepStrictEqual(of(/^"e" set to \[\]$/)[0]?.value.e, []);
  ok(of(/^list "b" of 3 items/).some(({ value }) => value.a.b.length === 7), "lists grow");
  ok(of(/times 1000000000000$/).length > 0, "numbers grow");
});

Deno.test("mutateSafetensors() adjusts the length field of a damaged header", () => {
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

Deno.test("mutateBytes() refuses an empty file", () => {
  throws(() => mutateBytes(new Uint8Array(), prng(0)), {
    message: "Cannot mutate bytes: the file is empty",
  });
});

Deno.test("isClearError() accepts this project's errors, not those of the engine or of broken invariants", () => {
  const clear = [
    "Cannot read tensors: x is not valid JSON (Unexpected end)",
    'config: unknown key "a"',
  ];
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
  strictEqual(isClearError("Cannot read a: b"), false);
});
