/**
 * Finding a compiler, choosing a target, and the cache of compiled libraries.
 */
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { dirname, join } from "node:path";
import {
  compileLibrary,
  compileLibrarySync,
  type Library,
} from "@/engine/native/toolchain/compiler.ts";
import {
  type Compiler,
  explainMissingCompiler,
  findCompiler,
} from "@/engine/native/toolchain/find_compiler.ts";
import { openNativeRuntime } from "@/engine/native/runtime.ts";
import { chooseTarget } from "@/engine/native/toolchain/target.ts";
import { withCache, withEmptyCache } from "./table_builder.ts";

/** Runs `body` with some environment variables changed; null removes one. */
async function withEnvironment<T>(
  changes: Readonly<Record<string, string | null>>,
  body: () => T | Promise<T>,
): Promise<T> {
  const before = Object.keys(changes).map((name) => [name, Deno.env.get(name)] as const);
  const set = (name: string, value: string | null | undefined) =>
    value === null || value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  for (const [name, value] of Object.entries(changes)) set(name, value);
  try {
    return await body();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

function premise(): Compiler {
  const compiler = findCompiler();
  ok(compiler !== null, "premise: a C compiler is installed");
  return compiler;
}

/** A library with one function that returns `value`. */
const library = (value: number | string): Library => ({
  name: "seven",
  sources: [{ name: "seven.c", text: `int seven(void) { return ${value}; }` }],
  headers: [],
  flags: [],
});

const callSeven = (path: string) => {
  const opened = Deno.dlopen(path, { seven: { parameters: [], result: "i32" } });
  const result = opened.symbols.seven();
  opened.close();
  return result;
};

/** Options that count how often the compiler is called. */
function countCompilations() {
  const calls: string[] = [];
  const onCompile = (name: string) => void calls.push(name);
  return { calls, options: { compiler: premise(), target: chooseTarget("generic"), onCompile } };
}

Deno.test("findCompiler() uses CC with its arguments, else the first compiler that runs", async () => {
  const plain = premise();
  ok(plain.version.length > 0);
  await withEnvironment({ CC: ` ${plain.command}  -O1 -g ` }, () => {
    deepStrictEqual(findCompiler(), { ...plain, arguments: ["-O1", "-g"] });
  });
  await withEnvironment({ CC: "no-such-compiler -O1" }, () => {
    strictEqual(findCompiler(), null); // CC is not ignored
    strictEqual(
      explainMissingCompiler("linux"),
      "Cannot compile for this processor without a C compiler: CC is " +
        '"no-such-compiler -O1", which does not run; install one with `sudo apt install gcc libc6-dev` or ' +
        "`sudo dnf install gcc`",
    );
  });
});

Deno.test("without a compiler the runtime says what is missing and how to install it", async () => {
  await withEnvironment({ PATH: "", CC: null }, async () => {
    strictEqual(findCompiler(), null);
    const missing = "Cannot compile for this processor without a C compiler: " +
      "cc, clang and gcc are not found; ";
    strictEqual(
      explainMissingCompiler("linux"),
      `${missing}install one with \`sudo apt install gcc libc6-dev\` or \`sudo dnf install gcc\``,
    );
    strictEqual(
      explainMissingCompiler("darwin"),
      `${missing}install one with \`xcode-select --install\``,
    );
    strictEqual(
      explainMissingCompiler("windows"),
      `${missing}install Zig with \`py -m pip install ziglang\` and set CC="py -m ziglang cc"`,
    );
    strictEqual(explainMissingCompiler("plan9"), `${missing}install gcc or clang`);
    await rejects(
      openNativeRuntime({ threads: 1, isa: null }),
      new Error(explainMissingCompiler()),
    );
  });
  ok(findCompiler() !== null, "what was found is forgotten with the path");
});

Deno.test("chooseTarget() gives the flags of an instruction set", () => {
  strictEqual(chooseTarget(null).isa, "native");
  deepStrictEqual(chooseTarget("generic").flags, []);
  match(chooseTarget("native").flags.join(), /^-m(arch|cpu)=native$/);
});

Deno.test("a library is compiled once, and again for each change of its inputs", async () => {
  await withEmptyCache(async (folder) => {
    const { calls, options } = countCompilations();
    const path = await compileLibrary(library(7), options);
    strictEqual(callSeven(path), 7);
    strictEqual(await compileLibrary(library(7), options), path);
    strictEqual(compileLibrarySync(library(7), options), path);
    deepStrictEqual(calls, ["seven"]);
    const { target, compiler } = options;
    const others = [
      await compileLibrary(library(8), options),
      compileLibrarySync({ ...library(7), flags: ["-O1"] }, options),
      await compileLibrary({ ...library(7), headers: [{ name: "x.h", text: "" }] }, options),
      await compileLibrary(library(7), { ...options, target: { ...target, processor: "another" } }),
      await compileLibrary(library(7), {
        ...options,
        compiler: { ...compiler, version: "another" },
      }),
      await withEnvironment({ STX_NATIVE_FLAGS: "-g" }, () => compileLibrary(library(7), options)),
    ];
    strictEqual(new Set([path, ...others]).size, 7);
    deepStrictEqual(others.map(callSeven), [8, 7, 7, 7, 7, 7]);
    strictEqual(calls.length, 7);
    const entries = [...Deno.readDirSync(join(folder, "native"))].map(({ name }) => name);
    ok(entries.length === 7 && entries.every((name) => /^seven-[0-9a-f]{40}$/.test(name)));
    strictEqual((Deno.statSync(join(folder, "native")).mode ?? 0) & 0o777, 0o700);
  });
});

Deno.test("concurrent requests of one process are compiled once", async () => {
  await withEmptyCache(async () => {
    const { calls, options } = countCompilations();
    const asked = Array.from({ length: 3 }, () => compileLibrary(library(7), options));
    strictEqual(new Set(await Promise.all(asked)).size, 1);
    strictEqual(calls.length, 1);
  });
});

Deno.test("a damaged library is built again", async () => {
  await withEmptyCache(async (folder) => {
    const { calls, options } = countCompilations();
    const path = await compileLibrary(library(7), options);
    const whole = Deno.readFileSync(path), checksum = join(dirname(path), "library.sha256");
    const damages: readonly (() => void)[] = [
      () => Deno.writeFileSync(path, whole.subarray(0, whole.length / 2)), // truncated
      () => Deno.writeFileSync(path, whole.map((byte, i) => i === 5000 ? byte ^ 1 : byte)), // one changed bit
      () => Deno.writeTextFileSync(path, ""),
      () => Deno.removeSync(path),
      () => Deno.removeSync(checksum),
    ];
    for (const [i, damage] of damages.entries()) {
      damage();
      const again = i % 2 === 0
        ? await compileLibrary(library(7), options)
        : compileLibrarySync(library(7), options);
      strictEqual(again, path);
      deepStrictEqual(Deno.readFileSync(path), whole); // the same compiler produces the same bytes
    }
    strictEqual(calls.length, 1 + damages.length);
    strictEqual([...Deno.readDirSync(join(folder, "native"))].length, 1); // no other files remain
  });
});

Deno.test("a library is built elsewhere if the cache cannot be created", async () => {
  await withEmptyCache(async (folder) => {
    Deno.writeTextFileSync(join(folder, "file"), "");
    await withCache(join(folder, "file"), async () => {
      const path = await compileLibrary(library(6), countCompilations().options);
      strictEqual(callSeven(path), 6);
      ok(!path.startsWith(folder));
    });
  });
});

Deno.test("the cache is in XDG_CACHE_HOME or the home folder if STX_CACHE is not set", async () => {
  await withEmptyCache(async (folder) => {
    const { options } = countCompilations();
    const home = { STX_CACHE: null, XDG_CACHE_HOME: null, HOME: folder };
    const shared = { ...home, XDG_CACHE_HOME: join(folder, "shared") };
    const place = "sentence-transformer/native";
    ok(
      (await withEnvironment(home, () => compileLibrary(library(7), options)))
        .startsWith(join(folder, ".cache", place)),
    );
    ok(
      (await withEnvironment(shared, () => compileLibrary(library(7), options)))
        .startsWith(join(folder, "shared", place)),
    );
  });
});

Deno.test("errors of the compiler are reported with its command", async () => {
  await withEmptyCache(async (folder) => {
    const { options } = countCompilations();
    const check = (error: Error) => {
      const [head, command, ...complaint] = error.message.split("\n");
      strictEqual(head, "Cannot compile seven: the compiler failed with exit code 1:");
      ok(command?.startsWith(`${options.compiler.command} `) && command.endsWith("-o seven.o"));
      match(complaint.join("\n"), /seven\.c:1:\d+: error: .*undefined_name/);
      const kept = /^The C is in (.+)$/.exec(complaint.at(-1) ?? "")?.[1] ?? "";
      match(Deno.readTextFileSync(join(kept, "seven.c")), /undefined_name/);
      return true;
    };
    await rejects(compileLibrary(library("undefined_name"), options), check);
    throws(() => compileLibrarySync(library("undefined_name"), options), check);
    const entries = [...Deno.readDirSync(join(folder, "native"))].map(({ name }) => name);
    deepStrictEqual(entries.map((name) => name.split("-")[0]), ["seven"]); // no build folder remains
  });
});

Deno.test("libraries have debug information that names their sources if STX_DEBUG is 1", async () => {
  await withEmptyCache(async () => {
    const { options } = countCompilations();
    const names = async () => {
      const path = await compileLibrary(library(7), options);
      ok(Deno.statSync(join(dirname(path), "seven.c")).isFile, "the source is beside the library");
      return new TextDecoder("latin1").decode(Deno.readFileSync(path)).includes(dirname(path));
    };
    deepStrictEqual(
      [await names(), await withEnvironment({ STX_DEBUG: "1" }, names), await names()],
      [false, true, false],
    );
  });
});

Deno.test("sources that have failed to compile do not hinder a later compilation", async () => {
  await withEmptyCache(async (folder) => {
    const failing = join(folder, "cc"), { options } = countCompilations();
    await Deno.writeTextFile(
      failing,
      `#!/bin/sh\n[ -f ${folder}/mended ] || exit 1\nexec ${options.compiler.command} "$@"\n`,
      { mode: 0o700 },
    );
    const compiler = { ...options.compiler, command: failing };
    const compile = () => compileLibrary(library(7), { ...options, compiler });
    await rejects(compile(), /Cannot compile seven/);
    Deno.writeTextFileSync(join(folder, "mended"), "");
    strictEqual(callSeven(await compile()), 7);
  });
});

Deno.test("a relative STX_CACHE is resolved against the working folder", async () => {
  await withEmptyCache(async (folder) => {
    const before = Deno.cwd();
    Deno.chdir(folder);
    try {
      const compile = () => compileLibrary(library(7), countCompilations().options);
      const path = await withCache("beside", compile);
      ok(path.startsWith(join(Deno.cwd(), "beside", "native")));
      strictEqual(callSeven(path), 7);
    } finally {
      Deno.chdir(before);
    }
  });
});
