/** Finding TensorFlow's library in folders with the layout of its distributions. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { dirname, join } from "node:path";
import {
  explainMissingLibrary,
  findLibrary,
  type LibraryFound,
  type LibrarySystem,
} from "@/engine/tensorflow/find_library.ts";

const HEADER = "tensorflow/c/eager/c_api.h";
const CPU: LibrarySystem = { os: "linux", arch: "x86_64", hasNvidiaGpu: false };

/** Runs `test` with a folder that is removed afterwards. */
function testInFolder(name: string, test: (root: string) => void): void {
  Deno.test(name, () => {
    const root = Deno.realPathSync(Deno.makeTempDirSync());
    try {
      test(root);
    } finally {
      Deno.removeSync(root, { recursive: true });
    }
  });
}

function touch(...paths: readonly string[]): void {
  for (const path of paths) {
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, "");
  }
}

/** Creates the files of Python's tensorflow package in a package folder. */
function touchPackage(packages: string): void {
  const folder = join(packages, "tensorflow");
  touch(
    join(folder, "libtensorflow_cc.so.2"),
    join(folder, "libtensorflow_framework.so.2"),
    join(folder, "include", HEADER),
  );
}

/** Searches with the given environment variables only; `/usr/local` may still contain Python packages. */
const search = (variables: Readonly<Record<string, string>>, configured: string | null = null) =>
  findLibrary({
    configured,
    environment: (name) => variables[name],
    prefixes: variables.PREFIX === undefined ? [] : [variables.PREFIX],
  });

/** Folder and source of a found library. */
function placeOf(found: LibraryFound): readonly string[] {
  const { library } = found;
  return library === null ? [] : [library.api, library.headers, library.source];
}

testInFolder("findLibrary() finds the C library under a prefix", (root) => {
  touch(
    join(root, "lib/libtensorflow.so.2"),
    join(root, "lib/libtensorflow_framework.so.2"),
    join(root, "include", HEADER),
  );
  const expected = [join(root, "lib/libtensorflow.so.2"), join(root, "include")];
  deepStrictEqual(placeOf(search({ PREFIX: root })), [...expected, "the usual places"]);
  deepStrictEqual(placeOf(search({ TF_LIB: root })), [...expected, "TF_LIB"]);
  deepStrictEqual(placeOf(search({ TF_LIB: join(root, "lib") })), [...expected, "TF_LIB"]);
  const file = join(root, "lib/libtensorflow.so.2");
  deepStrictEqual(placeOf(search({ TF_LIB: file })), [...expected, "TF_LIB"]);
  deepStrictEqual(placeOf(search({ LD_LIBRARY_PATH: `/none:${join(root, "lib")}` })), [
    ...expected,
    "LD_LIBRARY_PATH",
  ]);
  deepStrictEqual(placeOf(search({ TF_LIB: "/none" }, root)), [...expected, "tensorflow.library"]);
});

testInFolder("findLibrary() finds Python's package of the python3 on PATH", (root) => {
  const system = join(root, "usr"), venv = join(root, "venv");
  touch(join(system, "bin/python3.11"));
  Deno.symlinkSync("python3.11", join(system, "bin/python3"));
  touchPackage(join(system, "lib/python3.11/dist-packages"));
  const ofSystem = join(system, "lib/python3.11/dist-packages/tensorflow");
  const PATH = `${join(root, "none")}:${join(system, "bin")}`;
  deepStrictEqual(placeOf(search({ PATH })), [
    join(ofSystem, "libtensorflow_cc.so.2"),
    join(ofSystem, "include"),
    "Python's packages",
  ]);
  // An environment links to the system's python3 and has its own packages; newer Pythons come first.
  touch(join(venv, "pyvenv.cfg"), join(venv, "bin/activate"));
  Deno.symlinkSync(join(system, "bin/python3"), join(venv, "bin/python3"));
  for (const version of ["3.9", "3.12"]) {
    touchPackage(join(venv, `lib/python${version}/site-packages`));
  }
  const ofVenv = join(venv, "lib/python3.12/site-packages/tensorflow/libtensorflow_cc.so.2");
  strictEqual(placeOf(search({ PATH: `${join(venv, "bin")}:${PATH}` }))[0], ofVenv);
  strictEqual(placeOf(search({ PATH, VIRTUAL_ENV: venv }))[0], ofVenv);
  strictEqual(placeOf(search({ TF_LIB: venv }))[0], ofVenv);
});

testInFolder("findLibrary() runs a python3 that is a shim for another one", (root) => {
  const packages = join(root, "elsewhere/packages"), shim = join(root, "shims/python3");
  touchPackage(packages);
  touch(shim);
  Deno.writeTextFileSync(shim, `#!/bin/sh\necho ${packages}\n`);
  Deno.chmodSync(shim, 0o755);
  const [api, , source] = placeOf(search({ PATH: dirname(shim) }));
  deepStrictEqual([api, source], [
    join(packages, "tensorflow/libtensorflow_cc.so.2"),
    "Python's packages",
  ]);
});

testInFolder("findLibrary() reports the missing parts of an incomplete library", (root) => {
  const api = join(root, "lib/libtensorflow.so.2");
  touch(api);
  const parts = (found: LibraryFound) => found.library === null ? found.lacking : null;
  deepStrictEqual(parts(search({ PREFIX: root })), [
    `${api} exists, but not libtensorflow_framework.so.2`,
  ]);
  touch(join(root, "lib/libtensorflow_framework.so.2"));
  const lacking = `${api} exists, but not its headers (include/${HEADER})`;
  deepStrictEqual(search({ TF_LIB: root }), {
    library: null,
    named: { by: "TF_LIB", path: root },
    lacking: [lacking],
  });
  // A location that the user names is the only one searched.
  touch(join(root, "include", HEADER));
  strictEqual(search({ PREFIX: root, TF_LIB: join(root, "include") }).library, null);
});

const INSTALLS: readonly (readonly [LibrarySystem, string])[] = [
  [CPU, "install one with `python3 -m pip install 'tensorflow-cpu==2.21.0'`"],
  [{ ...CPU, arch: "aarch64" }, "install one with `python3 -m pip install 'tensorflow==2.21.0'`"],
  [
    { ...CPU, hasNvidiaGpu: true },
    "install one with CUDA for this machine's NVIDIA GPU with " +
    "`python3 -m pip install 'tensorflow[and-cuda]==2.21.0'`",
  ],
];

for (const [system, install] of INSTALLS) {
  const machine = system.hasNvidiaGpu ? "with a GPU" : `with ${system.arch}`;
  Deno.test(`explainMissingLibrary() says what to install and run on Linux ${machine}`, () => {
    strictEqual(
      explainMissingLibrary({ library: null, named: null, lacking: [] }, system),
      "Cannot open device tensorflow: no TensorFlow library was found in " +
        "LD_LIBRARY_PATH, /usr/local, /usr, /opt or the packages of any python3 on PATH; " +
        `${install} and check it with \`deno task tensorflow\` (to use one in another folder, set TF_LIB ` +
        "or tensorflow.library to it), or use device=cpu",
    );
  });
}

Deno.test("explainMissingLibrary() describes a folder that the user named, and the supported systems", () => {
  const named = { by: "TF_LIB", path: "/here" };
  match(
    explainMissingLibrary(
      { library: null, named, lacking: ["/here/a.so exists, but not b"] },
      CPU,
    ),
    /^Cannot open device tensorflow: TF_LIB must be the folder of a TensorFlow library, but none was found in "\/here" \(\/here\/a\.so exists, but not b\); /,
  );
  strictEqual(
    explainMissingLibrary({ library: null, named: null, lacking: [] }, { ...CPU, os: "darwin" }),
    "Cannot open device tensorflow: it requires Linux, but this system is darwin; use device=cpu instead",
  );
});
