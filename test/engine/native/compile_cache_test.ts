/** The cache of compiled libraries: which entries are loaded, which are built again or elsewhere, and which are removed. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { dirname, join } from "node:path";
import process from "node:process";
import { explainLostCache, isOwn } from "@/engine/native/toolchain/compile_cache.ts";
import { withCache, withEmptyCache } from "./table_builder.ts";

const CHILD = join(import.meta.dirname ?? "", "compile_child.ts");
const isRoot = process.geteuid?.() === 0;
/** ID of a user that does not exist. */
const STRANGER = 54321;

type Answer = { readonly path: string; readonly compiled: boolean };

/** Compiles a library in a separate process, or finds it in the cache; `number` selects one of the child's libraries. */
async function compile(before: readonly string[] = [], number = 2): Promise<Answer> {
  const [command = "", ...args] = [...before, Deno.execPath(), "run", "-A", "--no-check", CHILD];
  const output = await new Deno.Command(command, { args: [...args, `${number}`] }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  ok(output.success, text(output.stderr));
  const { path, compiled, answer } = JSON.parse(text(output.stdout));
  strictEqual(answer, 40 + number);
  return { path, compiled };
}

/** A test that needs root if the owner of a file has to change. */
const needing = (owner: number | undefined, name: string) => ({
  name,
  ignore: Deno.build.os === "windows" || (owner !== undefined && !isRoot),
});

/** Changes of the cache's folder or the one above it, and whether the cache is used afterwards. */
const FOLDERS: readonly (readonly [
  name: string,
  change: { part: "" | "native"; mode?: number; owner?: number },
  used: boolean,
])[] = [
  ["that everybody can read", { part: "native", mode: 0o755 }, true],
  ["that everybody can write", { part: "native", mode: 0o777 }, false],
  ["that everybody can write, sticky", { part: "native", mode: 0o1777 }, false],
  ["in a folder that everybody can write", { part: "", mode: 0o777 }, false],
  ["in a sticky folder that everybody can write", { part: "", mode: 0o1777 }, true],
  ["in another user's sticky folder", { part: "", mode: 0o1777, owner: STRANGER }, false],
  ["of another user", { part: "native", owner: STRANGER }, false],
];

for (const [name, { part, mode, owner }, used] of FOLDERS) {
  Deno.test({
    ...needing(owner, `a cache ${name} is ${used ? "" : "not "}used`),
    fn: () =>
      withEmptyCache(async (folder) => {
        const { path } = await compile(), changed = join(folder, part);
        if (owner !== undefined) await Deno.chown(changed, owner, owner);
        if (mode !== undefined) await Deno.chmod(changed, mode);
        const again = await compile();
        deepStrictEqual([again.path === path, again.compiled], [used, !used]);
        ok(used || !again.path.startsWith(folder));
        strictEqual(
          explainLostCache(),
          used
            ? null
            : `compiled C is not cached, so every process compiles again: ${folder}/native cannot be created, or other ` +
              "users can write to it or to a folder above it; set STX_CACHE to a folder that only you can write",
        );
      }),
  });
}

for (
  const [name, mode, owner] of [
    ["that everybody can write", 0o666, undefined],
    ["of another user", 0o600, STRANGER],
  ] as const
) {
  Deno.test({
    ...needing(owner, `a library ${name} is built again`),
    fn: () =>
      withEmptyCache(async () => {
        const { path } = await compile();
        await Deno.chmod(path, mode);
        if (owner !== undefined) await Deno.chown(path, owner, owner);
        deepStrictEqual(await compile(), { path, compiled: true });
        deepStrictEqual(await compile(), { path, compiled: false });
      }),
  });
}

Deno.test({
  ...needing(
    undefined,
    "a cache that cannot be written is used, and a missing library is built elsewhere",
  ),
  fn: () =>
    withEmptyCache(async (folder) => {
      const { path } = await compile();
      await Deno.chmod(join(folder, "native"), 0o500);
      // the superuser can write everywhere unless that capability is dropped
      const before = isRoot ? ["setpriv", "--bounding-set=-dac_override"] : [];
      deepStrictEqual(await compile(before), { path, compiled: false });
      const missing = await compile(before, 3);
      ok(missing.compiled && !missing.path.startsWith(folder));
      await Deno.chmod(join(folder, "native"), 0o700);
    }),
});

Deno.test({
  ...needing(
    undefined,
    "a link to a cache is followed to its folder, which is the one that must be safe",
  ),
  fn: () =>
    withEmptyCache(async (folder) => {
      const safe = join(folder, "safe"), open = join(folder, "open"), link = join(folder, "link");
      for (const each of [safe, open]) await Deno.mkdir(each);
      await Deno.symlink(safe, link);
      ok((await withCache(link, () => compile())).path.startsWith(join(safe, "native")));
      await Deno.chmod(open, 0o777);
      await Deno.remove(link);
      await Deno.symlink(open, link);
      ok(!(await withCache(link, () => compile())).path.startsWith(folder));
    }),
});

Deno.test({
  ...needing(undefined, "created files can be written by the user alone, whatever the umask"),
  fn: () =>
    withEmptyCache(async (folder) => {
      const { path } = await compile(["sh", "-c", 'umask 0; exec "$0" "$@"']);
      for (const each of [join(folder, "native"), dirname(path), path]) {
        strictEqual(((await Deno.stat(each)).mode ?? 0) & 0o022, 0, each);
      }
    }),
});

Deno.test("isOwn() trusts root, the user, and the user's own group", () => {
  const own = (uid: number | null, gid: number | null, mode: number | null, user: number | null) =>
    isOwn({ uid, gid, mode, isSymlink: false }, user);
  strictEqual(own(7, 100, 0o755, 7), true);
  strictEqual(own(0, 0, 0o755, 7), true);
  strictEqual(own(8, 100, 0o700, 7), false);
  strictEqual(own(7, 100, 0o775, 7), false);
  strictEqual(own(7, 100, 0o757, 7), false);
  strictEqual(own(7, 7, 0o775, 7), true);
  strictEqual(own(7, 7, 0o757, 7), false);
  strictEqual(own(0, 0, 0o775, 7), false); // other users may be in root's group too
  strictEqual(own(0, 0, 0o775, 0), false);
  strictEqual(own(7, 7, 0o700, 0), false); // root does not trust other users
  strictEqual(own(null, null, null, null), true); // a system without owners
  strictEqual(isOwn({ uid: 7, gid: 7, mode: 0o777, isSymlink: true }, 7), false);
});

Deno.test("the first new entry of a process removes those that were neither made nor read for 60 days", () =>
  withEmptyCache(async (folder) => {
    const { path } = await compile(), native = join(folder, "native");
    /** Creates a folder that was made and last read the given numbers of days ago. */
    const make = async (name: string, madeDays: number, readDays: number, file = "library.so") => {
      const library = join(native, name, file);
      const daysAgo = (days: number) => Date.now() / 1000 - days * 24 * 3600;
      await Deno.mkdir(dirname(library));
      await Deno.writeTextFile(library, name);
      await Deno.utime(library, daysAgo(readDays), daysAgo(madeDays));
      await Deno.utime(dirname(library), 0, daysAgo(madeDays));
    };
    const entry = (digit: string) => digit.repeat(40);
    await make(entry("a"), 1, 1);
    await make(entry("b"), 600, 59);
    await make(entry("c"), 61, 61);
    await make(`tensorflow-${entry("d")}`, 61, 61);
    await make(`kernels-${entry("e")}`, 61, 61, "not_compiled.c");
    await make("of-somebody-else", 600, 600);
    await make(".build-killed", 61, 61);
    await Deno.writeTextFile(join(native, "a-file"), "of another program");
    deepStrictEqual(await compile(), { path, compiled: false });
    strictEqual([...Deno.readDirSync(native)].length, 9, "an entry that is found removes nothing");
    const added = await compile([], 3);
    const left = [...Deno.readDirSync(native)].map(({ name }) => name).sort();
    const used = [path, added.path].map((each) => each.split("/").at(-2) ?? "");
    deepStrictEqual(left, [entry("a"), entry("b"), "a-file", "of-somebody-else", ...used].sort());
  }));
