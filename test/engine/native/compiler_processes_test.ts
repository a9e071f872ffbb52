/** Processes that compile concurrently, are interrupted, or have a failing compiler. @module */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { withEmptyCache } from "./table_builder.ts";

Deno.test("auto falls back to onnx with a reason if the compiler fails", async () => {
  await withEmptyCache(async (folder) => {
    const compiler = join(folder, "cc");
    await Deno.writeTextFile(
      compiler,
      '#!/bin/sh\n[ "$1" = --version ] && echo "cc 1.0" && exit\necho "no headers" >&2\nexit 1\n',
      { mode: 0o700 },
    );
    const open = (code: string) =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "eval",
          `import { listFallbacks, openEngine } from "@/engine/library.ts"; ${code}`,
        ],
        env: { CC: compiler },
        stdout: "piped",
        stderr: "piped",
      }).output();
    const auto = await open(
      "const { name } = await openEngine({ onNote: (note) => console.log(note) }); console.log(name, JSON.stringify(listFallbacks()))",
    );
    const said = new TextDecoder().decode(auto.stdout);
    match(
      said,
      /^the executor native falls back to onnx because it cannot start: Cannot compile runtime: [^]*no headers[^]*\nonnx \[\{"subject":"the executor native","to":"onnx","reason":"it cannot start: .+no headers.+"\}\]\n$/,
    );
    const native = await open('await openEngine({ executor: "native" })');
    match(new TextDecoder().decode(native.stderr), /Cannot compile runtime: [^]*no headers/);
    strictEqual(native.success, false);
  });
});

/** Runs a softmax compiled to C in another process; its output, and the C of its kernels in the cache. */
async function runSoftmax(environment: Readonly<Record<string, string>>, folder: string) {
  const code = `import * as tf from "@tensorflow/tfjs";
    import { jit, openEngine } from "@/engine/library.ts";
    await openEngine({ executor: "native" });
    const { y } = await jit("attend", ({ x }) => ({ y: tf.softmax(x) }))({ x: tf.ones([2, 3]) });
    console.log((await y.data()).length);`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    ...{ env: environment, stdout: "piped", stderr: "piped" },
  }).output();
  const entries = [...Deno.readDirSync(join(folder, "native"))].map(({ name }) => name);
  const entry = entries.find((name) => name.startsWith("kernels-")) ?? "";
  const place = join(folder, "native", entry);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    ...{ place, stdout: text(stdout), stderr: text(stderr) },
    source: Deno.readTextFileSync(join(place, "kernels.c")),
  };
}

Deno.test("C that cannot be compiled is where the error says", async () => {
  await withEmptyCache(async (folder) => {
    const real = findCompiler();
    ok(real !== null, "premise: a C compiler is installed");
    const failing = join(folder, "cc"), call = [real.command, ...real.arguments].join(" ");
    await Deno.writeTextFile(
      failing,
      `#!/bin/sh\n[ -f kernels.c ] && { echo "kernels.c:40:1: error: sorry" >&2; exit 1; }\nexec ${call} "$@"\n`,
      { mode: 0o700 },
    );
    const { place, stderr, source } = await runSoftmax({ CC: failing }, folder);
    match(stderr, /Cannot compile kernels: [^]*kernels\.c:40:1: error: sorry/);
    ok(stderr.includes(`The C is in ${place}\n`), stderr);
    match(source, /^void softmax_[0-9a-f]{10}\(/m);
    match(source, /^\/\*\n \* softmax, over R rows of C columns\n/m);
  });
});

Deno.test("with STX_DEBUG=1 the C says which nodes of which program it computes", async () => {
  await withEmptyCache(async (folder) => {
    const { stdout, source } = await runSoftmax({ STX_DEBUG: "1" }, folder);
    strictEqual(stdout, "6\n");
    match(
      source,
      /\/\*\n \* softmax_[0-9a-f]{10} in attend\n \*\n \* instruction 0: row_max_0 is node \d+, sub_1 /,
    );
  });
});

Deno.test({
  name: "an interrupt from the terminal does not stop the compiler",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withEmptyCache(async (folder) => {
      const slow = join(folder, "cc"), begun = join(folder, "begun");
      const real = findCompiler();
      ok(real !== null, "premise: a C compiler is installed");
      const call = [real.command, ...real.arguments].join(" ");
      await Deno.writeTextFile(
        slow,
        `#!/bin/sh\n[ "$1" = --version ] || { touch ${begun}; sleep 0.5; }\nexec ${call} "$@"\n`,
        { mode: 0o700 },
      );
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", join(import.meta.dirname ?? "", "compile_child.ts")],
        env: { CC: slow, HEED_INTERRUPTS: "1" },
        detached: true, // a separate process group, as a shell creates for each command
        stdout: "piped",
      }).spawn();
      while (!await Deno.stat(begun).catch(() => null)) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const kill = new Deno.Command("kill", { args: ["-INT", "--", `-${child.pid}`] });
      strictEqual((await kill.output()).success, true);
      const { stdout } = await child.output();
      const { answer, interrupts } = JSON.parse(new TextDecoder().decode(stdout));
      deepStrictEqual({ answer, interrupts }, { answer: 42, interrupts: 1 });
    }),
});

Deno.test("concurrent processes that compile the same library do not interfere", async () => {
  await withEmptyCache(async (folder) => {
    const start = () =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", join(import.meta.dirname ?? "", "compile_child.ts")],
        stdout: "piped",
      }).output();
    const outputs = await Promise.all([start(), start(), start()]);
    const answers = outputs.map(({ stdout }) => JSON.parse(new TextDecoder().decode(stdout)));
    deepStrictEqual(answers.map(({ answer }) => answer), [42, 42, 42]);
    strictEqual(new Set(answers.map(({ path }) => path)).size, 1);
    strictEqual([...Deno.readDirSync(join(folder, "native"))].length, 1);
    const [later] = await Promise.all([start()]);
    strictEqual(JSON.parse(new TextDecoder().decode(later?.stdout)).compiled, false);
  });
});
