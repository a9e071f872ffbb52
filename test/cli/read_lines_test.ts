import { deepStrictEqual, rejects } from "node:assert/strict";
import { chunkLines, readTexts } from "@/cli/read_lines.ts";

async function linesOf(chunks: readonly string[], size: number): Promise<(readonly string[])[]> {
  const bytes = ReadableStream.from(chunks).pipeThrough(new TextEncoderStream());
  return await Array.fromAsync(chunkLines(bytes, size));
}

Deno.test("chunkLines() joins lines across chunks of bytes and leaves empty ones out", async () => {
  deepStrictEqual(await linesOf(["a\nb", "c\r\n\n  \nd\n", "e"], 2), [["a", "bc"], ["d", "e"]]);
  deepStrictEqual(await linesOf(["é".repeat(3) + "\n", "\n"], 64), [["ééé"]]);
  deepStrictEqual(await linesOf([], 2), []);
});

Deno.test("readTexts() prefers the texts given", async () => {
  deepStrictEqual(await Array.fromAsync(readTexts(["a", "b"])), [["a", "b"]]);
});

Deno.test("readTexts() refuses an empty text, word for word", async () => {
  await rejects(Array.fromAsync(readTexts(["a", " \t"])), {
    name: "RangeError",
    message: "Cannot read texts as each must have a word: text 2 of 2 is empty",
  });
});
