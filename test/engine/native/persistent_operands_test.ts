import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert/strict";
import { Memory } from "@/engine/memory.ts";
import { PersistentOperands } from "@/engine/native/lowering/persistent_operands.ts";
import type { NativeBlock } from "@/engine/native/runtime.ts";

/** JavaScript memory instead of the runtime's. */
function allocate(bytes: number): NativeBlock {
  const block = new Uint8Array(bytes);
  const pointer = Deno.UnsafePointer.of(block);
  if (pointer === null) throw new Error("no bytes, no address");
  return { pointer, bytes: block };
}

Deno.test("a weight has one block for each packed form and records whether it is packed", () => {
  const persistent = new PersistentOperands({ allocate, free: () => {} });
  const weight = new Memory(16), other = new Memory(16);
  const block = persistent.blockOf(weight, "rows", 80);
  strictEqual(block.block.bytes.byteLength, 80);
  strictEqual(persistent.blockOf(weight, "rows", 80), block);
  notStrictEqual(persistent.blockOf(weight, "columns", 80), block);
  notStrictEqual(persistent.blockOf(other, "rows", 80), block);
  const announced = () => {
    persistent.announce(block, weight);
    return block.block.bytes[0];
  };
  const seen = [announced()];
  block.packed = weight.writes;
  seen.push(announced());
  weight.writes++;
  seen.push(announced());
  deepStrictEqual(seen, [0, 1, 0]);
});
