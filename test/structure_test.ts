/**
 * The layout of the code: which folders of `lib` may import which, and what no file may contain.
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { dirname, join, normalize, relative } from "node:path";

/** The place of files that are in no folder of `lib`. */
const TOP = "files directly in lib";

/**
 * Folders of `lib` from the bottom layer up: a file imports from its own folder and from those before it. The engine
 * depends on nothing else in the project. `eval` comes before `train`, since training evaluates its models.
 */
const FOLDERS = [
  "engine",
  TOP,
  "config",
  "system",
  "data",
  "text",
  "model",
  "eval",
  "train",
  "report",
  "inspect",
  "export",
  "experiment",
  "notebook",
  "app",
  "development",
  "cli",
  "api",
];

/** Packages that only one folder may import, so that they can be replaced there. */
const PACKAGE_FOLDERS: Readonly<Record<string, string>> = {
  "onnxruntime-node": "engine",
  "@tensorflow/tfjs-node-gpu": "engine",
  "node-api-headers": "engine",
  "nodejs-polars": "data",
  "@observablehq/plot": "report",
  "vega-lite": "report",
};

type Source = { readonly path: string; readonly text: string };

async function readSources(...folders: readonly string[]): Promise<readonly Source[]> {
  const root = join(import.meta.dirname ?? "", "..");
  const sources: Source[] = [];
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory) await walk(path);
      else if (/\.(ts|ipynb)$/.test(entry.name)) {
        sources.push({ path: relative(root, path), text: await Deno.readTextFile(path) });
      }
    }
  };
  for (const folder of folders) await walk(join(root, folder));
  return sources.sort((a, b) => a.path < b.path ? -1 : 1);
}

const LIB = await readSources("lib");
const ALL = [...LIB, ...await readSources("test", "notebooks")];
ok(LIB.length > 100, "premise: the files were found");

/** Code without comments; strings remain. */
const strip = (text: string) => text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
const folderOf = (path: string) => path.split("/").length > 2 ? path.split("/")[1] ?? "" : TOP;

function importsOf({ text }: Source): readonly string[] {
  const pattern = /(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g;
  return [...strip(text).matchAll(pattern)].map(([, name]) => name ?? "");
}

/** Paths of the `sources` whose code matches `pattern`. */
const matching = (sources: readonly Source[], pattern: RegExp) =>
  sources.filter(({ text }) => pattern.test(strip(text))).map(({ path }) => path);

Deno.test("imports between the folders of lib point one way only", () => {
  const wrong: string[] = [];
  for (const source of LIB) {
    const folder = folderOf(source.path);
    ok(FOLDERS.includes(folder), `lib/${folder} is not listed in FOLDERS`);
    for (const name of importsOf(source)) {
      const target = name.startsWith("@/")
        ? name.replace("@/", "lib/")
        : name.startsWith(".")
        ? normalize(join(dirname(source.path), name))
        : null;
      if (target !== null && FOLDERS.indexOf(folderOf(target)) > FOLDERS.indexOf(folder)) {
        wrong.push(`${source.path} imports ${target}`);
      }
    }
  }
  deepStrictEqual(wrong, []);
});

Deno.test("imports from other folders begin with @/, and no import is remote", () => {
  const wrong = LIB.flatMap((source) =>
    importsOf(source)
      .filter((name) =>
        /^(npm:|jsr:|https?:)/.test(name) ||
        (name.startsWith("..") &&
          /^lib\//.test(normalize(join(dirname(source.path), name))) &&
          folderOf(normalize(join(dirname(source.path), name))) !== folderOf(source.path))
      )
      .map((name) => `${source.path} imports ${name}`)
  );
  deepStrictEqual(wrong, []);
});

Deno.test("replaceable packages are imported in one folder only", () => {
  const wrong = LIB.flatMap((source) =>
    importsOf(source)
      .filter((name) => {
        const [, known] = Object.entries(PACKAGE_FOLDERS)
          .find(([each]) => name === each || name.startsWith(`${each}/`)) ?? [];
        return known !== undefined && known !== folderOf(source.path);
      })
      .map((name) => `${source.path} imports ${name}`)
  );
  deepStrictEqual(wrong, []);
});

Deno.test("files have snake_case names, a docstring at the top and at most 400 lines", () => {
  const code = ALL.filter(({ path }) => path.endsWith(".ts"));
  const named = code.filter(({ path }) =>
    !/^[a-z0-9_/]+\.ts$/.test(path) || /\/index\.ts$/.test(path)
  );
  deepStrictEqual(named.map(({ path }) => path), []);
  const bare = LIB.filter(({ text }) => !/^\/\*\*[^]{20,}?\*\//.test(text));
  deepStrictEqual(bare.map(({ path }) => path), []);
  const long = code.filter(({ text }) => text.trimEnd().split("\n").length > 400);
  deepStrictEqual(long.map(({ path }) => path), []);
});

Deno.test("files of the engine have names that no other file of lib has", () => {
  const nameOf = (path: string) => path.replace(/.*\//, "");
  const wrong = LIB.filter(({ path }) => folderOf(path) === "engine")
    .filter(({ path }) => nameOf(path) !== "library.ts") // each library's entry point
    .filter(({ path }) => LIB.filter((other) => nameOf(other.path) === nameOf(path)).length > 1);
  deepStrictEqual(wrong.map(({ path }) => path), []);
});

Deno.test("no file re-exports all of another", () => {
  deepStrictEqual(matching(LIB, /^export \* /m), []);
});

Deno.test("random numbers and the clock are arguments", () => {
  deepStrictEqual(matching(LIB, /\bMath\.random\b|\bDate\.now\b|\bnew Date\(\)/), []);
  const mathematics = LIB.filter(({ path }) =>
    /^lib\/(model|eval|text)\/|train\/step\.ts/.test(path)
  );
  deepStrictEqual(matching(mathematics, /\bperformance\.now\b/), []);
});

Deno.test("only tasks print or end the process", () => {
  const files = LIB.filter(({ path }) =>
    folderOf(path) !== "cli" && path !== "lib/engine/spirals_example.ts"
  );
  deepStrictEqual(
    matching(files, /\bconsole\.\w|\bDeno\.(exit|std(out|err))\b|\bprocess\.exit\b/),
    [],
  );
});

Deno.test("compiler and linter errors are not suppressed outside the engine", () => {
  const quiet = (sources: readonly Source[], pattern: RegExp) =>
    sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
  const files = ALL.filter(({ path }) => !/^lib\/engine\/|structure_test/.test(path));
  deepStrictEqual(quiet(files, /deno-lint-ignore|@ts-(ignore|expect-error|nocheck)/), []);
  deepStrictEqual(matching(LIB, /(:|\bas|<) any\b/), []);
});

Deno.test("there are no non-null assertions outside the engine", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["lint", "--json", "--rules-tags=", "--rules-include=no-non-null-assertion", "lib"],
    cwd: join(import.meta.dirname ?? "", ".."),
  }).output();
  const { diagnostics } = JSON.parse(new TextDecoder().decode(stdout)) as {
    diagnostics: readonly { code: string; filename: string; range: { start: { line: number } } }[];
  };
  const places = diagnostics
    .filter(({ code }) => code === "no-non-null-assertion")
    .map(({ filename, range }) => `${filename.replace(/^.*\/lib\//, "lib/")}:${range.start.line}`);
  deepStrictEqual(places.filter((place) => !place.startsWith("lib/engine/")), []);
});

Deno.test("no file contains a path of a machine", () => {
  const pattern = new RegExp(`["'\`(=: ](file://)?/${"(home|work|tmp)"}/`);
  deepStrictEqual(ALL.filter(({ text }) => pattern.test(text)).map(({ path }) => path), []);
});
