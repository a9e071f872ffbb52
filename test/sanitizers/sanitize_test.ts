import { match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { findSanitizers, type Sanitizers } from "./find_sanitizers.ts";
import { areGone, formatRecord, isClean } from "./record.ts";
import { checkPlanted } from "./self_check.ts";
import { startJob } from "./start_job.ts";

/** The sanitizers of this system; null if it has none. */
function findHere(): Sanitizers | null {
  try {
    return findSanitizers();
  } catch {
    return null;
  }
}

const sanitizers = findHere();

Deno.test({
  name: "sanitizers report planted faults, and nothing in a training step",
  ignore: sanitizers === null,
  async fn() {
    const cache = await Deno.makeTempDir();
    try {
      match(await checkPlanted("planted_write", { sanitizers, cache }), /AddressSanitizer/);
      const [line, { found, report }] = await Promise.all([ // the runtime is compiled by now
        checkPlanted("planted_shift", { sanitizers, cache }),
        startJob(["steps", 1], { sanitizers, cache }),
      ]);
      match(line, /runtime error/);
      strictEqual(report, "");
      strictEqual(JSON.stringify(found), '{"tensors":0}');
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  },
});

Deno.test({
  name: "a fault that no sanitizer sees is an error",
  ignore: findCompiler() === null,
  async fn() {
    await rejects(checkPlanted("planted_shift", { sanitizers: null, cache: null }), {
      message: "Cannot sanitize as a shift by too many bits must be reported: " +
        "the sanitizers see nothing",
    });
    const { found, report } = await startJob(["unknown"], { sanitizers: null, cache: null });
    strictEqual(found, null);
    match(report, /internal: no job unknown/); // a job that ends early does not count as clean
  },
});

Deno.test({
  name: "findSanitizers() says what a compiler without them lacks",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const before = Deno.env.get("CC");
    try {
      // like compilers, it prints a name that it does not find unchanged
      const script =
        '#!/bin/sh\ncase "$1" in --version) echo "plaincc 1.0";; *) echo "${1#*=}";; esac\n';
      await Deno.writeTextFile(`${folder}/plaincc`, script, { mode: 0o755 });
      Deno.env.set("CC", `${folder}/plaincc`);
      throws(findSanitizers, {
        name: "NotFound",
        message: "Cannot sanitize as the compiler must have AddressSanitizer: plaincc 1.0 has " +
          `neither libclang_rt.asan-${Deno.build.arch}.so nor libasan.so and libubsan.so; on Debian ` +
          "and Ubuntu they come with gcc, else try `sudo dnf install libasan libubsan`, or clang's " +
          "compiler-rt",
      });
    } finally {
      if (before === undefined) Deno.env.delete("CC");
      else Deno.env.set("CC", before);
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("a record is clean where nothing was reported and released programs are gone", () => {
  const releases = { programs: 200, released: 40, kept: 1300, library: 51200 };
  const record = {
    command: "deno task sanitize",
    where: "here",
    planted: [{ what: "a shift", line: "shift exponent" }],
    works: [{ what: "steps", report: "" }],
    releases,
    ordinary: { ...releases, released: null, kept: null },
  };
  ok(isClean(record));
  ok(!isClean({ ...record, works: [{ what: "steps", report: "ERROR: AddressSanitizer" }] }));
  ok(!isClean({ ...record, releases: null }));
  ok(!areGone({ ...releases, released: 1300 })); // as much as a program that is not released
  match(formatRecord(record), /grew by 40 bytes for each that was released, by 1300 bytes for/);
  match(formatRecord(record), /each with C of its own, 50 KiB each stayed resident/);
});
