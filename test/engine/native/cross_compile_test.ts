/**
 * Compiles the C of the runtime and generated kernels for other systems. Nothing is run: the compiler finds what their
 * headers and calling conventions lack. `ZIG` names the compiler like `CC`; `.ci/get_zig` downloads one.
 */
import { ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { RecordingBackend } from "@/engine/backend.ts";
import type { TracedExecutor } from "@/engine/executor.ts";
import { openEngine } from "@/engine/engine.ts";
import type { Graph } from "@/engine/graph.ts";
import { jit } from "@/engine/jit.ts";
import { compileGraph } from "@/engine/native/compile_graph.ts";
import { compileLibrary, type Library } from "@/engine/native/toolchain/compiler.ts";
import { type KernelText, printSource } from "@/engine/native/codegen/kernel_texts.ts";
import { describeKernels, describeRuntime } from "@/engine/native/runtime.ts";
import { CASES } from "./executor_cases.ts";
import { withEmptyCache } from "./table_builder.ts";

/** Targets by their names in Zig, with the first bytes of their libraries. */
const TARGETS = {
  "aarch64-macos": { system: "darwin", magic: [0xcf, 0xfa, 0xed, 0xfe] }, // Mach-O, 64 bits
  "x86_64-macos": { system: "darwin", magic: [0xcf, 0xfa, 0xed, 0xfe] },
  "x86_64-windows-gnu": { system: "windows", magic: [0x4d, 0x5a] }, // MZ
} as const;

/** Optimization takes most of the time and finds no missing header. Without -O, Zig enables UBSan. */
const QUICK = ["-O0", "-fno-sanitize=undefined"];

const [command, ...first] = (Deno.env.get("ZIG") ?? "").split(/\s+/).filter((word) => word !== "");

/** Generated functions of all cases of the executor, by name. */
async function collectKernels(): Promise<ReadonlyMap<string, KernelText>> {
  const kernels = new Map<string, KernelText>();
  const collect: TracedExecutor = {
    ...{ name: "collect", version: "", threads: 2 },
    compile(graph: Graph) {
      for (const [name, kernel] of compileGraph(graph, 2).code.kernels) kernels.set(name, kernel);
      return { run: () => Promise.resolve(), runSync() {}, release() {} };
    },
  };
  await openEngine({ executor: "onnx", threads: 2 });
  const backend = tf.backend();
  ok(backend instanceof RecordingBackend);
  backend.traced.compileWith(collect, "float32");
  for (const { inputs, run } of Object.values(CASES)) {
    const given = inputs(), program = jit("case", run);
    tf.dispose([given, await program(given)]);
    program.release();
  }
  await openEngine({ executor: "auto" });
  return kernels;
}

for (const [target, { system, magic }] of Object.entries(TARGETS)) {
  Deno.test({
    name: `the runtime and generated kernels compile for ${target}`,
    ignore: command === undefined,
    async fn() {
      const kernels = await collectKernels();
      ok(kernels.size > 20, "the premise: the cases need kernels");
      const compiler = {
        command: command ?? "",
        arguments: [...first, "-target", target],
        version: "zig",
      };
      const options = {
        compiler,
        target: { isa: "generic", flags: [], processor: target },
        system,
      } as const;
      await withEmptyCache(async () => {
        for (const library of [describeRuntime(), describeKernels(printSource(kernels.values()))]) {
          const quick = { ...library, flags: [...library.flags, ...QUICK] };
          const path = await compileLibrary(quick, options);
          const head = Deno.readFileSync(path).subarray(0, magic.length);
          strictEqual([...head].join(), magic.join(), `${library.name} is a library of ${system}`);
        }
      });
    },
  });
}

Deno.test({
  name: "cross-compiling rejects headers that the target lacks",
  ignore: command === undefined,
  async fn() {
    // Premise of the tests above: Windows has no <dlfcn.h>, so compiling for it must fail.
    const library: Library = {
      name: "wrong",
      sources: [{ name: "wrong.c", text: "#include <dlfcn.h>\nint wrong;" }],
      headers: [],
      flags: [],
    };
    const compiler = {
      command: command ?? "",
      arguments: [...first, "-target", "x86_64-windows-gnu"],
      version: "zig",
    };
    const target = { isa: "generic", flags: [], processor: "x86_64" } as const;
    await withEmptyCache(async (folder) => {
      const refused = await compileLibrary(library, { compiler, target, system: "windows" })
        .then(() => null, (error: Error) => error.message);
      ok(refused?.includes("dlfcn.h"), join(folder, String(refused)));
    });
  },
});
