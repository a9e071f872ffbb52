import { deepStrictEqual, rejects } from "node:assert/strict";
import { chunkLines, readTexts } from "@/cli/text_lines.ts";

const linesOf = (parts: readonly Uint8Array[], size: number) =>
  Array.fromAsync(chunkLines(ReadableStream.from(parts), size));
const utf8 = (...parts: readonly string[]) => parts.map((part) => new TextEncoder().encode(part));

Deno.test("chunkLines() yields every line in chunks, including blank lines and lines split across stream chunks", async () => {
  deepStrictEqual(
    await linesOf(utf8("a\nb", "c\r\n\n  \nd\n", "e\r"), 2),
    [["a", "bc"], ["", "  "], ["d", "e"]],
  );
  deepStrictEqual(await linesOf(utf8("é".repeat(3) + "\n", "\n"), 64), [["ééé", ""]]);
  deepStrictEqual(await linesOf(utf8("a\rb\r", "\nc"), 64), [["a", "b", "c"]]);
  deepStrictEqual(await linesOf([], 2), []);
});

Deno.test("chunkLines() reads UTF-16 with a byte-order mark and rejects other encodings", async () => {
  const [mark, ...units] = Array.from(
    "\ufeffa green kettle\r\nlanterns glow\r\n",
    (character) => character.charCodeAt(0),
  );
  const marked = new Uint8Array(new Uint16Array([mark ?? 0, ...units]).buffer);
  deepStrictEqual(await linesOf([marked.slice(0, 5), marked.slice(5)], 64), [
    ["a green kettle", "lanterns glow"],
  ]);
  const latin1 = Uint8Array.from("kettle\ncafé", (character) => character.charCodeAt(0));
  await rejects(() => linesOf([latin1], 1), {
    name: "EncodingError",
    message: "Cannot read texts: standard input is not UTF-8 (line 2, byte offset 10 is 0xE9); " +
      "it looks like Latin-1 or Windows-1252: convert it to UTF-8, for example with " +
      "iconv -f WINDOWS-1252 -t UTF-8",
  });
});

Deno.test("readTexts() rejects an argument that was not valid UTF-8", async () => {
  await rejects(() => Array.fromAsync(readTexts(["kettle", "cr\ufffdpe"])), {
    message:
      "Cannot read texts: text 2 is not valid UTF-8, since it contains U+FFFD in place of invalid " +
      "bytes; if U+FFFD is intended, pass the text on standard input",
  });
});

Deno.test("readTexts() prefers given texts to standard input, including blank ones", async () => {
  deepStrictEqual(await Array.fromAsync(readTexts(["a", " "])), [["a", " "]]);
});
