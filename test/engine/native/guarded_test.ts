/** Security of the cache of compiled libraries: which entries are loaded and which are built elsewhere. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { dirname, join } from "node:path";
import process from "node:process";
import { explainLostCache } from "@/engine/native/toolchain/compile_cache.ts";
import { isOwn } from "@/engine/native/codegen/guarded.ts";
import { withCache, withEmptyCache } from "./table_builder.ts";

const CHILD = join(import.meta.dirname ?? "", "compile_child.ts");
const isRoot = process.geteuid?.() === 0;
/** IDs of users that do not exist. */
const [STRANGER, OTHER] = [54321, 54322];

type Answer = { readonly path: string; readonly compiled: boolean; readonly answer: number };

/** A test's name, and `ignore` if there is a reason to skip it. */
const unless = (reason: string | null, name: string) => ({
  name: reason === null ? name : `${name}: skipped, ${reason}`,
  ignore: reason !== null,
});
/** Reason why a file's owner cannot be changed to the given one, or null. */
const keepsOwner = (owner: number | undefined) =>
  owner === undefined || isRoot ? null : "only root can give files away";

/** Command prefix that runs a command as another user. */
function asUser(user: number): readonly string[] {
  return ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
}

/** Compiles a library in a separate process, or finds it in the cache; `number` selects one of the child's libraries. */
async function compile(before: readonly string[] = [], number = 2): Promise<Answer> {
  const [command = "", ...args] = [...before, Deno.execPath(), "run", "-A", "--no-check", CHILD];
  const output = await new Deno.Command(command, { args: [...args, `${number}`] }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  ok(output.success, text(output.stderr));
  const answer: Answer = JSON.parse(text(output.stdout));
  strictEqual(answer.answer, 40 + number);
  return answer;
}

/** True if a command with the prefix `before` can be run, and Deno can then read this checkout. */
function runs(before: readonly string[]): boolean {
  try {
    const [command = "", ...args] = [...before, "test", "-r", CHILD];
    return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Makes a folder and everything in it readable for all users, as README describes. */
async function openToReaders(folder: string): Promise<void> {
  strictEqual((await new Deno.Command("chmod", { args: ["-R", "a+rX", folder] }).output()).code, 0);
}

/** All files and folders of a cache with their contents. */
function list(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    return isDirectory ? [path, ...list(path)] : [`${path} ${Deno.readFileSync(path)}`];
  }).sort();
}

/** Ways to make a filled cache read-only; each returns a command prefix. */
const READ_ONLY: Readonly<Record<string, (folder: string) => readonly string[]>> = {
  // the superuser can write everywhere unless that capability is dropped
  "by mode": () => isRoot ? ["setpriv", "--bounding-set=-dac_override"] : [],
  "because root owns it": () => isRoot ? asUser(STRANGER) : ["requires root"],
  "because of its mount": (folder) => [
    ...["unshare", "--mount", "sh", "-c"],
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
    folder,
  ],
};

for (const [why, before] of Object.entries(READ_ONLY)) {
  const reason = runs(before(import.meta.dirname ?? "")) ? null : "not possible here";
  Deno.test({
    ...unless(
      reason,
      `a cache that is read-only ${why} is used, and missing libraries are built elsewhere`,
    ),
    fn: () =>
      withEmptyCache(async (folder) => {
        const native = join(folder, "native");
        const { path } = await compile();
        ok(path.startsWith(native));
        await openToReaders(folder);
        if (why === "by mode") await Deno.chmod(native, 0o555);
        const full = list(native), whole = await Deno.readFile(path);
        deepStrictEqual(await compile(before(folder)), {
          ...{ path, compiled: false, answer: 42, interrupts: 0 },
        });
        const missing = await compile(before(folder), 3);
        ok(missing.compiled && !missing.path.startsWith(folder));
        await Deno.writeTextFile(path, "damaged");
        const repaired = await compile(before(folder));
        ok(repaired.compiled && !repaired.path.startsWith(folder));
        await Deno.writeFile(path, whole);
        deepStrictEqual(list(native), full);
        await Deno.chmod(native, 0o700);
      }),
  });
}

Deno.test("explainLostCache() says why nothing is cached and what to do", () =>
  withEmptyCache(async (folder) => {
    strictEqual(explainLostCache(), null);
    await Deno.chmod(folder, 0o777);
    strictEqual(
      explainLostCache(),
      `compiled C is not cached, so every process compiles again: ${folder}/native cannot be created, or other users ` +
        "can write to it or to a folder above it; set STX_CACHE to a folder that only you can write",
    );
  }));

/** Changes of a complete entry, and whether it is used afterwards; changing `owner` requires root. */
const ENTRIES: readonly (readonly [
  name: string,
  change: { part: "" | "library.so" | "library.sha256"; mode?: number; owner?: number },
  used: boolean,
])[] = [
  ["that is world-readable", { part: "", mode: 0o755 }, true],
  ["that is world-writable", { part: "", mode: 0o777 }, false],
  ["whose library is world-writable", { part: "library.so", mode: 0o666 }, false],
  ["whose checksum is world-writable", { part: "library.sha256", mode: 0o602 }, false],
  ["of another user", { part: "", owner: STRANGER }, false],
  ["whose library belongs to another user", { part: "library.so", owner: STRANGER }, false],
  ["whose checksum belongs to another user", { part: "library.sha256", owner: STRANGER }, false],
];

for (const [name, { part, mode, owner }, used] of ENTRIES) {
  Deno.test({
    ...unless(keepsOwner(owner), `an entry ${name} is ${used ? "used" : "built again"}`),
    fn: () =>
      withEmptyCache(async () => {
        const { path } = await compile();
        const changed = join(dirname(path), part);
        if (mode !== undefined) await Deno.chmod(changed, mode);
        if (owner !== undefined) await Deno.chown(changed, owner, owner);
        const again = await compile();
        deepStrictEqual([again.path, again.compiled], [path, !used]);
        strictEqual((await compile()).compiled, false, "repaired permanently");
        strictEqual([...Deno.readDirSync(dirname(dirname(path)))].length, 1);
      }),
  });
}

Deno.test("an entry that is a link is built again", () =>
  withEmptyCache(async (folder) => {
    const { path } = await compile(), entry = dirname(path), moved = join(folder, "moved");
    await Deno.rename(entry, moved);
    await Deno.symlink(moved, entry);
    const again = await compile();
    deepStrictEqual([again.path, again.compiled], [path, true]);
    ok((await Deno.lstat(entry)).isDirectory);
    ok((await Deno.stat(join(moved, "library.so"))).isFile, "only the link is removed");
  }));

Deno.test({
  ...unless(
    isRoot && runs(asUser(STRANGER))
      ? null
      : "requires root, setpriv and a world-readable checkout",
    "in the user's own folder, an entry of another user is replaced",
  ),
  fn: () =>
    withEmptyCache(async (folder) => {
      await Deno.chmod(folder, 0o755);
      await Deno.mkdir(join(folder, "native"));
      await Deno.chown(join(folder, "native"), STRANGER, STRANGER);
      const { path } = await compile(asUser(STRANGER));
      ok(path.startsWith(folder));
      for (const each of ["", "library.so", "library.sha256"]) {
        await Deno.chown(join(dirname(path), each), OTHER, OTHER);
      }
      await Deno.chmod(dirname(path), 0o755);
      const again = await compile(asUser(STRANGER));
      deepStrictEqual([again.path, again.compiled], [path, true]);
      strictEqual((await compile(asUser(STRANGER))).compiled, false);
    }),
});

/** Changes of the parent folder of `native`, and whether the cache is used afterwards. */
const FOLDERS: readonly (readonly [
  name: string,
  change: { part: "" | "native"; mode?: number; owner?: number },
  used: boolean,
])[] = [
  ["in a world-writable folder", { part: "", mode: 0o777 }, false],
  ["in a sticky world-writable folder", { part: "", mode: 0o1777 }, true],
  ["in another user's folder", { part: "", mode: 0o755, owner: STRANGER }, false],
  ["in another user's sticky folder", { part: "", mode: 0o1777, owner: STRANGER }, false],
  ["of another user", { part: "native", owner: STRANGER }, false],
];

for (const [name, { part, mode, owner }, used] of FOLDERS) {
  Deno.test({
    ...unless(keepsOwner(owner), `a cache ${name} is ${used ? "" : "not "}used`),
    fn: () =>
      withEmptyCache(async (folder) => {
        const { path } = await compile(), changed = join(folder, part);
        if (owner !== undefined) await Deno.chown(changed, owner, owner);
        if (mode !== undefined) await Deno.chmod(changed, mode);
        const before = list(folder);
        const again = await compile();
        deepStrictEqual([again.path === path, again.compiled], [used, !used]);
        ok(used || !again.path.startsWith(folder));
        deepStrictEqual(list(folder), before);
      }),
  });
}

Deno.test("nothing is created in a world-writable folder unless it is sticky", () =>
  withEmptyCache(async (folder) => {
    const compileBelow = () => withCache(join(folder, "new"), () => compile());
    await Deno.chmod(folder, 0o777);
    await compileBelow();
    deepStrictEqual(list(folder), []);
    await Deno.chmod(folder, 0o1777);
    ok((await compileBelow()).path.startsWith(join(folder, "new", "native")));
    await Deno.chmod(folder, 0o777);
    ok(!(await compileBelow()).path.startsWith(folder), "a folder further up counts too");
  }));

Deno.test("a link to a cache is followed; the target must be safe, the link need not be", () =>
  withEmptyCache(async (folder) => {
    const safe = join(folder, "safe"), open = join(folder, "open"), link = join(folder, "link");
    for (const each of [safe, open]) await Deno.mkdir(each);
    await Deno.symlink(safe, link);
    const { path } = await withCache(link, () => compile());
    ok(path.startsWith(join(safe, "native")), "by its real path, so that the link may change");
    await Deno.remove(link);
    await Deno.chmod(open, 0o777);
    await Deno.symlink(open, link);
    ok(!(await withCache(link, () => compile())).path.startsWith(folder));
    await Deno.mkdir(join(open, "native"), { mode: 0o700 });
    await Deno.rename(join(safe, "native"), join(safe, "was"));
    await Deno.symlink(join(open, "native"), join(safe, "native"));
    ok(!(await withCache(safe, () => compile())).path.startsWith(folder));
  }));

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

Deno.test("created files are writable only by the user, whatever the umask", () =>
  withEmptyCache(async (folder) => {
    const { path } = await compile(["sh", "-c", 'umask 0; exec "$0" "$@"']);
    for (const each of [join(folder, "native"), dirname(path), path]) {
      strictEqual(((await Deno.stat(each)).mode ?? 0) & 0o022, 0, each);
    }
    strictEqual((await compile()).compiled, false);
  }));
