/**
 * Compiles and calls a small library, for tests of concurrent processes. Prints its path, whether the compiler was
 * called, the result of the library (40 plus the first argument, or 42), and the number of interrupts received if
 * `HEED_INTERRUPTS` is set.
 */
import { compileLibrary } from "@/engine/native/toolchain/compiler.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { chooseTarget } from "@/engine/native/toolchain/target.ts";

const compiler = findCompiler();
if (compiler === null) throw new Error("premise: a C compiler is installed");
let compiled = false, interrupts = 0;
if (Deno.env.has("HEED_INTERRUPTS")) Deno.addSignalListener("SIGINT", () => interrupts++);
const path = await compileLibrary({
  name: "answer",
  sources: [
    {
      name: "answer.c",
      text: '#include "number.h"\nint part(void);\nint answer(void) { return part() + NUMBER; }',
    },
    { name: "part.c", text: "int part(void) { return 40; }" },
  ],
  headers: [{ name: "number.h", text: `#define NUMBER ${Deno.args[0] ?? 2}` }],
  flags: ["-O1"],
}, { compiler, target: chooseTarget("generic"), onCompile: () => compiled = true });
const { symbols } = Deno.dlopen(path, { answer: { parameters: [], result: "i32" } });
console.log(JSON.stringify({ path, compiled, answer: symbols.answer(), interrupts }));
Deno.exit();
