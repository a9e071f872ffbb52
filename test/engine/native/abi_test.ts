/**
 * The header that C and TypeScript share.
 */
import { strictEqual } from "node:assert/strict";
import { printAbi } from "@/engine/native/abi.ts";
import { describeKernels } from "@/engine/native/runtime.ts";

Deno.test("abi.h is what abi.ts prints, and generated kernels can include it", () => {
  const header = describeKernels("").headers.find(({ name }) => name === "abi.h");
  strictEqual(header?.text, printAbi(), "run `deno run -A lib/engine/native/abi.ts`");
});
