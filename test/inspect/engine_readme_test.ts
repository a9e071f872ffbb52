import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { ENGINE_README, readBlocks } from "./engine_readme.ts";

/** A table of times without its numbers and the width of its columns. */
const withoutTimes = (text: string) => text.replace(/[\d.]+/g, "#").replace(/ +/g, " ");

Deno.test({
  name: "the engine's README shows each stage of softmax as deno task inspect prints it",
  ignore: findCompiler() === null,
  async fn() {
    const blocks = await readBlocks(await Deno.readTextFile(ENGINE_README));
    deepStrictEqual(blocks.map(({ stage }) => stage), [
      ...["traced", "dead-code", "autocast", "prepare", "lower", "groups", "c", "instructions"],
      ...["memory", "memory", "time", "fallbacks"],
    ]);
    for (const { stage, written, printed } of blocks) {
      const [was, is] = stage === "time"
        ? [withoutTimes(written), withoutTimes(printed)]
        : [written, printed];
      strictEqual(was, is, `run deno run -A test/inspect/engine_readme.ts to update ${stage}`);
    }
  },
});
