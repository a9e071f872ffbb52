import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { decodeStream, decodeText, splitLines, streamLines } from "@/plain_text.ts";

const SOURCE = { what: "texts", name: "a.txt" };

/** Bytes of a text in UTF-16 or UTF-32, with a byte-order mark if asked. */
function encodeWide(
  text: string,
  { unit, little, mark = true }: { unit: 2 | 4; little: boolean; mark?: boolean },
): Uint8Array {
  const marked = (mark ? "\ufeff" : "") + text;
  const units = unit === 2
    ? Array.from({ length: marked.length }, (_, i) => marked.charCodeAt(i))
    : Array.from(marked, (character) => character.codePointAt(0) ?? 0);
  const view = new DataView(new ArrayBuffer(units.length * unit));
  units.forEach((value, i) =>
    unit === 2 ? view.setUint16(2 * i, value, little) : view.setUint32(4 * i, value, little)
  );
  return new Uint8Array(view.buffer);
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

async function decodeInParts(bytes: Uint8Array, size: number): Promise<string> {
  const parts = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.slice(at, at + size));
  return (await Array.fromAsync(decodeStream(ReadableStream.from(parts), SOURCE))).join("");
}

/** The message of the error from decoding, which must be the same in parts of any size. */
async function messageOf(bytes: Uint8Array, sizes: readonly number[] = []): Promise<string> {
  let message = "";
  throws(() => decodeText(bytes, SOURCE), (error: Error) => {
    message = error.message;
    return error.name === "EncodingError";
  });
  for (const size of sizes) {
    const inParts = await decodeInParts(bytes, size).catch((error: Error) => error.message);
    strictEqual(inParts, message, `parts of ${size} bytes`);
  }
  return message;
}

const ENCODERS: Readonly<Record<string, (text: string) => Uint8Array>> = {
  "UTF-8": utf8,
  "UTF-8 with its mark": (text) => utf8("\ufeff" + text),
  "UTF-16 LE with its mark": (text) => encodeWide(text, { unit: 2, little: true }),
  "UTF-16 BE with its mark": (text) => encodeWide(text, { unit: 2, little: false }),
};

for (const [name, encode] of Object.entries(ENCODERS)) {
  Deno.test(`decodeText() and decodeStream() decode ${name}, split at any byte`, async () => {
    const texts = fc.string({ unit: "grapheme" }).filter((text) => !/^\ufeff|\0/.test(text));
    await fc.assert(fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), async (text, size) => {
      strictEqual(decodeText(encode(text), SOURCE), text);
      strictEqual(await decodeInParts(encode(text), size), text);
    }));
    for (const text of ["", "a", "é", "緑のやかん\r\n😀\n"]) {
      strictEqual(decodeText(encode(text), SOURCE), text);
      strictEqual(await decodeInParts(encode(text), 1), text);
    }
  });
}

Deno.test("decodeText() keeps a zero byte and a byte-order mark within a text", () => {
  strictEqual(decodeText(utf8("a kettle\0 boils \ufeff"), SOURCE), "a kettle\0 boils \ufeff");
});

Deno.test("decodeText() rejects UTF-16 and UTF-32 without a byte-order mark", async () => {
  const wide = (text: string, unit: 2 | 4, little: boolean) =>
    encodeWide(text, { unit, little, mark: false });
  strictEqual(
    await messageOf(wide("a green kettle\n", 2, true), [1, 2, 64]),
    "Cannot read texts: a.txt is not UTF-8 (line 1, byte offset 1 is 0x00); it looks like " +
      "UTF-16 without a byte-order mark: convert it to UTF-8, for example with " +
      "iconv -f UTF-16LE -t UTF-8",
  );
  for (
    const [text, little, order] of [
      ["Зелёный чайник\n", true, "LE"], // each byte alone is valid UTF-8
      ["Зелёный чайник\n", false, "BE"],
      ["crêpe suzette\n", false, "BE"],
    ] as const
  ) {
    const message = await messageOf(wide(text, 2, little));
    strictEqual(/iconv -f (\S+)/.exec(message)?.[1], `UTF-16${order}`);
  }
  for (const little of [true, false]) {
    const message = await messageOf(wide("a green kettle\n", 4, little));
    strictEqual(/looks like (\S+)/.exec(message)?.[1], "UTF-32");
  }
});

Deno.test("decodeText() recognizes UTF-32, whose mark begins like that of UTF-16", async () => {
  for (const little of [true, false]) {
    strictEqual(
      await messageOf(encodeWide("ab", { unit: 4, little }), [1, 3]),
      `Cannot read texts: a.txt is not UTF-8 (line 1, byte offset 0 is 0x${
        little ? "FF" : "00"
      }); it is UTF-32, by its byte-order mark: convert it to UTF-8, for example with ` +
        "iconv -f UTF-32 -t UTF-8",
    );
  }
});

Deno.test("decodeText() rejects Latin-1 with line, byte offset and advice", async () => {
  strictEqual(
    await messageOf(latin1("kettle\r\ncrêpe\n"), [1, 2, 7, 64]), // 8 bytes, then "cr"
    "Cannot read texts: a.txt is not UTF-8 (line 2, byte offset 10 is 0xEA); it looks like " +
      "Latin-1 or Windows-1252: convert it to UTF-8, for example with iconv -f WINDOWS-1252 -t UTF-8",
  );
  const late = latin1("lantern\n".repeat(20_000) + "café");
  strictEqual(
    (await messageOf(late, [4096])).slice(0, 89),
    "Cannot read texts: a.txt is not UTF-8 (line 20001, byte offset 160003 is 0xE9); it looks ",
  );
  const russian = latin1("\xcf\xf0\xe8\xe2\xe5\xf2"); // "Привет" in Windows-1251
  strictEqual(
    /another encoding, such as UTF-16, Windows-1251/.test(await messageOf(russian)),
    true,
  );
});

Deno.test("decodeText() rejects all kinds of ill-formed UTF-8 at the first invalid byte", async () => {
  const cases: [number[], number][] = [
    [[0x61, 0x80], 1], // a continuation alone
    [[0x61, 0xc0, 0xaf, 0x61], 1], // overlong
    [[0xe0, 0x80, 0xaf], 0], // overlong
    [[0xed, 0xa0, 0x80], 0], // a surrogate
    [[0xf4, 0x90, 0x80, 0x80], 0], // beyond U+10FFFF
    [[0xf8, 0x88, 0x80, 0x80], 0],
    [[0xc3, 0xa9, 0xc3, 0x28], 2],
  ];
  for (const [bytes, at] of cases) {
    const message = await messageOf(new Uint8Array(bytes));
    strictEqual(/byte offset (\d+)/.exec(message)?.[1], String(at), String(bytes));
  }
});

Deno.test("decodeText() recognizes a text that ends within a character, gzip, and a lone surrogate", async () => {
  strictEqual(
    await messageOf(utf8("kettle €").slice(0, -1), [1, 4]),
    "Cannot read texts: a.txt is not UTF-8 (line 1, byte offset 7 is 0xE2); " +
      "it ends within a character: the end is missing",
  );
  strictEqual(
    await messageOf(new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0])),
    "Cannot read texts: a.txt is not UTF-8 (line 1, byte offset 1 is 0x8B); " +
      "it looks like gzip data: decompress it first",
  );
  const binary = Uint8Array.from({ length: 256 }, (_, i) => (i + 128) % 256);
  strictEqual(
    /looks like .*/.exec(await messageOf(binary))?.[0],
    "looks like binary data, not text",
  );
  strictEqual(
    await messageOf(encodeWide("a\ud83d b", { unit: 2, little: true }), [1, 5]),
    "Cannot read texts: a.txt is not UTF-8 (line 1, byte offset 4 is 0x3D); " +
      "its byte-order mark says UTF-16LE, but the bytes there are not valid",
  );
});

Deno.test("splitLines() splits lines as Python does", () => {
  deepStrictEqual(splitLines("a\n\n \r\nb\rc"), ["a", "", " ", "b", "c"]);
  deepStrictEqual(splitLines("a\n"), ["a"]);
  deepStrictEqual(splitLines("\n\r"), ["", ""]);
  deepStrictEqual(splitLines(""), []);
  deepStrictEqual(splitLines("a\u2028b\u0085c\fd"), ["a\u2028b\u0085c\fd"]);
});

Deno.test("streamLines() yields the lines of splitLines(), split at any character", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "\n", "\r", "\r\n"), maxLength: 20 });
  await fc.assert(fc.asyncProperty(text, fc.integer({ min: 1, max: 5 }), async (text, size) => {
    const parts = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
    const lines = await Array.fromAsync(streamLines(ReadableStream.from(parts)));
    deepStrictEqual(lines.flat(), splitLines(text));
  }));
});

Deno.test("streamLines() yields a line as soon as it has ended", async () => {
  const lines = streamLines(ReadableStream.from(["a\r", "\nb\n"]));
  deepStrictEqual((await lines.next()).value, ["a"]);
  deepStrictEqual((await lines.next()).value, ["b"]);
});
