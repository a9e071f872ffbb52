/**
 * Differences between operating systems, tested by the name of the system since a machine has only one of them.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { describeSystem } from "@/engine/system.ts";

const environment = (variables: Readonly<Record<string, string>>) => ({
  get: (name: string) => variables[name],
});

/** Files of each system in the npm package onnxruntime-node 1.30.0. */
const ONNX_RUNTIME_FILES = {
  linux: ["libonnxruntime.so.1", "onnxruntime_binding.node"],
  darwin: ["libonnxruntime.1.30.0.dylib", "libonnxruntime.1.dylib", "onnxruntime_binding.node"],
  windows: ["DirectML.dll", "dxcompiler.dll", "dxil.dll", "onnxruntime.dll"],
} as const;

for (
  const [name, expected] of Object.entries({
    linux: { library: "library.so", link: ["-lm", "-ldl"], onnx: "libonnxruntime.so.1" },
    darwin: { library: "library.dylib", link: ["-lm"], onnx: "libonnxruntime.1.30.0.dylib" },
    windows: { library: "library.dll", link: [], onnx: "onnxruntime.dll" },
  })
) {
  Deno.test(`describeSystem() describes libraries and flags of ${name}`, () => {
    const { libraryName, linkFlags, compileFlags, onnxRuntime } = describeSystem(name);
    strictEqual(libraryName, expected.library);
    deepStrictEqual(linkFlags, expected.link);
    ok(compileFlags.includes("-pthread"));
    strictEqual(compileFlags.includes("-fPIC"), name !== "windows"); // gcc warns about it on Windows
    const files = ONNX_RUNTIME_FILES[name as keyof typeof ONNX_RUNTIME_FILES];
    strictEqual(files.find((file) => onnxRuntime.test(file)), expected.onnx);
  });
}

Deno.test("describeSystem() treats an unknown system as a Unix without -ldl", () => {
  const { libraryName, linkFlags } = describeSystem("freebsd");
  deepStrictEqual([libraryName, linkFlags], ["library.so", ["-lm"]]);
});

Deno.test("describeSystem() finds the user's cache folder", () => {
  const cacheOf = (name: string, variables: Readonly<Record<string, string>>) =>
    describeSystem(name).userCache(environment(variables));
  strictEqual(cacheOf("linux", { HOME: "/h" }), join("/h", ".cache"));
  strictEqual(cacheOf("linux", { HOME: "/h", XDG_CACHE_HOME: "/x" }), "/x");
  strictEqual(cacheOf("darwin", { HOME: "/h" }), join("/h", ".cache"));
  strictEqual(cacheOf("windows", { LOCALAPPDATA: "C:/l", HOME: "/h" }), "C:/l");
  strictEqual(cacheOf("linux", {}), undefined);
});

Deno.test("describeSystem() omits SIGTERM and SIGHUP on Windows, where Deno cannot listen to them", () => {
  deepStrictEqual(describeSystem("linux").interruptSignals, ["SIGINT", "SIGTERM", "SIGHUP"]);
  deepStrictEqual(describeSystem("darwin").interruptSignals, ["SIGINT", "SIGTERM", "SIGHUP"]);
  deepStrictEqual(describeSystem("windows").interruptSignals, ["SIGINT"]);
});
