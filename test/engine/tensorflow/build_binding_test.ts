/** Building the binding, with a fake compiler that only records its arguments. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { buildBinding } from "@/engine/tensorflow/build_binding.ts";
import type { TensorflowLibrary } from "@/engine/tensorflow/find_library.ts";
import { withCache } from "../native/table_builder.ts";

type Setting = { readonly root: string; readonly library: TensorflowLibrary };

/** Runs `test` with a library of empty files and a shell script as the compiler in `CXX`. */
function testWithCompiler(
  name: string,
  script: string,
  test: (setting: Setting) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const root = await Deno.makeTempDir();
    const before = Deno.env.get("CXX");
    try {
      const [compiler, api, framework] = ["c++", "api.so", "framework.so"]
        .map((name) => join(root, name)) as [string, string, string];
      await Deno.writeTextFile(compiler, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      for (const path of [api, framework]) await Deno.writeTextFile(path, path);
      Deno.env.set("CXX", `${compiler} -O1`);
      const library = { api, framework, headers: join(root, "include"), source: "a test" };
      await withCache(join(root, "cache"), () => test({ root, library }));
    } finally {
      if (before === undefined) Deno.env.delete("CXX");
      else Deno.env.set("CXX", before);
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** Script that answers `--version`, and else writes its arguments to the output file. */
const OBEDIENT = `case "$*" in
  *--version*) echo "c++ 1.0" ;;
  *) all="$*"; while [ "$1" != -o ]; do shift; done; echo "$all" > "$2" ;;
esac`;

testWithCompiler(
  "buildBinding() compiles once for equal libraries and again for different ones",
  OBEDIENT,
  async ({ root, library }) => {
    const told: string[] = [];
    const build = (version: string) =>
      buildBinding(library, { version, onBuild: (compiler) => told.push(compiler) });
    const first = await build("2.21.0");
    strictEqual(first.builtBy, "c++ 1.0");
    ok(first.path.startsWith(join(root, "cache", "native", "tensorflow-")));
    const call = await Deno.readTextFile(first.path);
    match(
      call,
      /^-O1 -std=c\+\+17 -O2 -fPIC -shared -DNAPI_VERSION=8 -I\S+\/node-api-headers\/include /,
    );
    match(call, new RegExp(` -I${library.headers} \\S+/tfjs_backend.cc \\S+/tfjs_binding.cc -o `));
    ok(call.trimEnd().endsWith(` ${library.api} ${library.framework} -Wl,-rpath,${root}`));
    deepStrictEqual(await build("2.21.0"), { path: first.path, builtBy: null });
    const other = await build("2.22.0");
    ok(other.path !== first.path && other.builtBy !== null);
    await Deno.writeTextFile(library.api, "another library, of the same version");
    ok((await build("2.22.0")).builtBy !== null);
    deepStrictEqual(told, ["c++ 1.0", "c++ 1.0", "c++ 1.0"]);
    const mode = (await Deno.stat(join(root, "cache", "native"))).mode ?? 0;
    strictEqual(mode & 0o777, 0o700);
  },
);

testWithCompiler(
  "buildBinding() reports the compiler's errors and leaves no files behind",
  `case "$*" in *--version*) echo "c++ 1.0" ;; *) echo "no such header" >&2; exit 3 ;; esac`,
  async ({ root, library }) => {
    await rejects(buildBinding(library, { version: "2.21.0" }), (error) => {
      ok(error instanceof Error);
      match(
        error.message,
        /^Cannot compile the binding of TensorFlow: the compiler failed with exit code 3:\n.+\nno such header$/,
      );
      return true;
    });
    deepStrictEqual([...Deno.readDirSync(join(root, "cache", "native"))], []);
  },
);

testWithCompiler(
  "buildBinding() explains how to install a compiler if there is none",
  "exit 1",
  async ({ root, library }) => {
    await rejects(buildBinding(library, { version: "2.21.0" }), {
      name: "NotFound",
      message: "Cannot build TensorFlow's binding without a C++ compiler: CXX is " +
        `"${
          join(root, "c++")
        } -O1", which does not run; install one with \`sudo apt install g++\` or ` +
        "`sudo dnf install gcc-c++`",
    });
  },
);
