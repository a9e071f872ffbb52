/**
 * Finding a compiler, choosing a target, and the libraries kept on disk.
 */
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { dirname, join } from "node:path";
import { compileLibrary, compileLibrarySync, type Library } from "@/engine/native/compiler.ts";
import {
  type Compiler,
  explainMissingCompiler,
  findCompiler,
} from "@/engine/native/find_compiler.ts";
import { openNativeRuntime } from "@/engine/native/runtime.ts";
import { chooseTarget, parseIsa } from "@/engine/native/target.ts";
import { withCache } from "./table_builder.ts";

/** Runs `body` with some variables of the environment changed; null removes one. */
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

/** Runs `body` with an empty folder for compiled libraries. */
async function withEmptyCache<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "cache-" });
  try {
    return await withCache(folder, () => body(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function premise(): Compiler {
  const compiler = findCompiler();
  ok(compiler !== null, "premise: there is a C compiler");
  return compiler;
}

/** A library of one function that gives `value`. */
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

Deno.test("findCompiler() takes CC with its arguments, else the first name that answers", async () => {
  const plain = premise();
  ok(plain.version.length > 0);
  await withEnvironment({ CC: ` ${plain.command}  -O1 -g ` }, () => {
    deepStrictEqual(findCompiler(), { ...plain, arguments: ["-O1", "-g"] });
  });
  await withEnvironment({ CC: "no-such-compiler -O1" }, () => {
    strictEqual(findCompiler(), null); // CC is heeded, not passed over
    strictEqual(
      explainMissingCompiler("linux"),
      "Cannot compile for this processor as there must be a C compiler: CC is " +
        '"no-such-compiler -O1", which cannot be run; `sudo apt install gcc libc6-dev` or ' +
        "`sudo dnf install gcc` installs one",
    );
  });
});

Deno.test("without a compiler the runtime says what is missed and how to get it", async () => {
  await withEnvironment({ PATH: "", CC: null }, async () => {
    strictEqual(findCompiler(), null);
    const missing = "Cannot compile for this processor as there must be a C compiler: " +
      "cc, clang and gcc are not found; ";
    strictEqual(
      explainMissingCompiler("linux"),
      `${missing}\`sudo apt install gcc libc6-dev\` or \`sudo dnf install gcc\` installs one`,
    );
    strictEqual(
      explainMissingCompiler("darwin"),
      `${missing}\`xcode-select --install\` installs one`,
    );
    strictEqual(explainMissingCompiler("plan9"), `${missing}install gcc or clang`);
    await rejects(
      openNativeRuntime({ threads: 1, isa: null }),
      new Error(explainMissingCompiler()),
    );
  });
  ok(findCompiler() !== null, "what was found is forgotten with the path");
});

Deno.test("chooseTarget() knows the instruction sets by name", () => {
  throws(
    () => parseIsa("sse9"),
    new RangeError(
      "Cannot compile as native.isa must be one of native, avx512, avx2, generic: current value is sse9",
    ),
  );
  strictEqual(chooseTarget(null).isa, "native");
  deepStrictEqual(chooseTarget("generic").flags, []);
  match(chooseTarget("native").flags.join(), /^-m(arch|cpu)=native$/);
});

Deno.test("a library is compiled once, and once for each change of what goes into it", async () => {
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

Deno.test("what one process asks for twice at once is compiled once", async () => {
  await withEmptyCache(async () => {
    const { calls, options } = countCompilations();
    const asked = Array.from({ length: 3 }, () => compileLibrary(library(7), options));
    strictEqual(new Set(await Promise.all(asked)).size, 1);
    strictEqual(calls.length, 1);
  });
});

Deno.test("a damaged library is built anew", async () => {
  await withEmptyCache(async (folder) => {
    const { calls, options } = countCompilations();
    const path = await compileLibrary(library(7), options);
    const whole = Deno.readFileSync(path), checksum = join(dirname(path), "library.sha256");
    const damages: readonly (() => void)[] = [
      () => Deno.writeFileSync(path, whole.subarray(0, whole.length / 2)), // cut short
      () => Deno.writeFileSync(path, whole.map((byte, i) => i === 5000 ? byte ^ 1 : byte)), // one bit
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
      deepStrictEqual(Deno.readFileSync(path), whole); // the same compiler gives the same bytes
    }
    strictEqual(calls.length, 1 + damages.length);
    strictEqual([...Deno.readDirSync(join(folder, "native"))].length, 1); // nothing is left behind
  });
});

Deno.test("a cache that is open to others is closed, one that cannot be written is done without", async () => {
  await withEmptyCache(async (folder) => {
    await Deno.mkdir(join(folder, "native"));
    await Deno.chmod(join(folder, "native"), 0o777);
    await compileLibrary(library(7), countCompilations().options);
    strictEqual((Deno.statSync(join(folder, "native")).mode ?? 0) & 0o777, 0o700);
    Deno.writeTextFileSync(join(folder, "file"), "");
    await withCache(join(folder, "file"), async () => {
      const path = await compileLibrary(library(7), countCompilations().options);
      strictEqual(callSeven(path), 7);
      ok(!path.startsWith(folder));
    });
  });
});

Deno.test("the cache is XDG_CACHE_HOME's or the home's where STX_CACHE does not say", async () => {
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

Deno.test("what the compiler complains of is repeated, with its command", async () => {
  await withEmptyCache(async (folder) => {
    const { options } = countCompilations();
    const check = (error: Error) => {
      const [head, command, ...complaint] = error.message.split("\n");
      strictEqual(head, "Cannot compile seven as the compiler must accept it: exit code 1 of");
      ok(command?.startsWith(`${options.compiler.command} `) && command.endsWith("-o seven.o"));
      match(complaint.join("\n"), /seven\.c:1:\d+: error: .*undefined_name/);
      return true;
    };
    await rejects(compileLibrary(library("undefined_name"), options), check);
    throws(() => compileLibrarySync(library("undefined_name"), options), check);
    deepStrictEqual([...Deno.readDirSync(join(folder, "native"))], []); // nothing is left behind
  });
});

Deno.test("where the compiler found cannot compile, auto computes on onnx and says why", async () => {
  await withEmptyCache(async (folder) => {
    const compiler = join(folder, "cc");
    await Deno.writeTextFile(
      compiler,
      '#!/bin/sh\n[ "$1" = --version ] && echo "cc 1.0" && exit\necho "no headers" >&2\nexit 1\n',
      { mode: 0o700 },
    );
    const open = (code: string) =>
      new Deno.Command(Deno.execPath(), {
        args: ["eval", `import { openEngine } from "@/engine/engine.ts"; ${code}`],
        env: { CC: compiler },
        stdout: "piped",
        stderr: "piped",
      }).output();
    const auto = await open(
      "const { name } = await openEngine({ onNote: (note) => console.log(note) }); console.log(name)",
    );
    const said = new TextDecoder().decode(auto.stdout);
    match(
      said,
      /^programs run on onnx, since native cannot start: Cannot compile runtime [^]*no headers[^]*\nonnx\n$/,
    );
    const native = await open('await openEngine({ executor: "native" })');
    match(new TextDecoder().decode(native.stderr), /Cannot compile runtime [^]*no headers/);
    strictEqual(native.success, false);
  });
});

Deno.test({
  name: "an interrupt from the terminal leaves the compiler to its work",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withEmptyCache(async (folder) => {
      const slow = join(folder, "cc"), begun = join(folder, "begun");
      const real = premise();
      const call = [real.command, ...real.arguments].join(" ");
      await Deno.writeTextFile(
        slow,
        `#!/bin/sh\n[ "$1" = --version ] || { touch ${begun}; sleep 0.5; }\nexec ${call} "$@"\n`,
        { mode: 0o700 },
      );
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", join(import.meta.dirname ?? "", "compile_child.ts")],
        env: { CC: slow, HEED_INTERRUPTS: "1" },
        detached: true, // a group of its own, as a shell gives each command
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

Deno.test("processes that compile the same at once do not disturb each other", async () => {
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

Deno.test("a relative folder for compiled libraries is one of the current folder's", async () => {
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
