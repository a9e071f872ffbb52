/**
 * How the code is laid out: which room may use which, and what no file may hold.
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { dirname, join, normalize, relative } from "node:path";

/**
 * Rooms from the ground up: a file imports from its own room and from those before it. Rows become
 * batches become logits become scores become a run become a report; training scores what it trains, so
 * `eval` stands below it.
 */
const ROOMS = [
  "files beside the rooms",
  "engine",
  "data",
  "text",
  "model",
  "eval",
  "train",
  "report",
  "export",
  "experiment",
  "notebook",
  "app",
  "bench",
  "fault_injection",
  "cli",
  "api",
];

/** Packages that only one room may know, so that they can be replaced there. */
const PACKAGE_ROOMS: Readonly<Record<string, string>> = {
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
ok(LIB.length > 100, "the test reads the files that it speaks of");

/** Code without its comments, in which words are only words; strings stay. */
const strip = (text: string) => text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
const roomOf = (path: string) =>
  path.split("/").length > 2 ? path.split("/")[1] ?? "" : ROOMS[0] ?? "";

function importsOf({ text }: Source): readonly string[] {
  const pattern = /(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g;
  return [...strip(text).matchAll(pattern)].map(([, name]) => name ?? "");
}

/** Files of `sources` whose code holds `pattern`. */
const holding = (sources: readonly Source[], pattern: RegExp) =>
  sources.filter(({ text }) => pattern.test(strip(text))).map(({ path }) => path);

Deno.test("imports point one way only between the rooms of lib", () => {
  const wrong: string[] = [];
  for (const source of LIB) {
    const room = roomOf(source.path);
    ok(ROOMS.includes(room), `lib/${room} has no place among the rooms`);
    for (const name of importsOf(source)) {
      const target = name.startsWith("@/")
        ? name.replace("@/", "lib/")
        : name.startsWith(".")
        ? normalize(join(dirname(source.path), name))
        : null;
      if (target !== null && ROOMS.indexOf(roomOf(target)) > ROOMS.indexOf(room)) {
        wrong.push(`${source.path} imports ${target}`);
      }
    }
  }
  deepStrictEqual(wrong, []);
});

Deno.test("imports between rooms are written from lib, and no import is remote", () => {
  const wrong = LIB.flatMap((source) =>
    importsOf(source)
      .filter((name) =>
        /^(npm:|jsr:|https?:)/.test(name) ||
        (name.startsWith("..") &&
          roomOf(normalize(join(dirname(source.path), name))) !== roomOf(source.path))
      )
      .map((name) => `${source.path} imports ${name}`)
  );
  deepStrictEqual(wrong, []);
});

Deno.test("packages that may be replaced are known to one room alone", () => {
  const wrong = LIB.flatMap((source) =>
    importsOf(source)
      .filter((name) => {
        const [, known] = Object.entries(PACKAGE_ROOMS)
          .find(([each]) => name === each || name.startsWith(`${each}/`)) ?? [];
        return known !== undefined && known !== roomOf(source.path);
      })
      .map((name) => `${source.path} imports ${name}`)
  );
  deepStrictEqual(wrong, []);
});

Deno.test("files have snake_case names, a docstring at their head and at most 300 lines", () => {
  const code = ALL.filter(({ path }) => path.endsWith(".ts"));
  const named = code.filter(({ path }) =>
    !/^[a-z0-9_/]+\.ts$/.test(path) || /\/index\.ts$/.test(path)
  );
  deepStrictEqual(named.map(({ path }) => path), []);
  const bare = LIB.filter(({ text }) => !/^\/\*\*[^]{20,}?\*\//.test(text));
  deepStrictEqual(bare.map(({ path }) => path), []);
  const long = code.filter(({ text }) => text.trimEnd().split("\n").length > 300);
  deepStrictEqual(long.map(({ path }) => path), []);
});

Deno.test("no file re-exports all of another", () => {
  deepStrictEqual(holding(LIB, /^export \* /m), []);
});

Deno.test("chance and clock are arguments", () => {
  deepStrictEqual(holding(LIB, /\bMath\.random\b|\bDate\.now\b|\bnew Date\(\)/), []);
  const mathematics = LIB.filter(({ path }) =>
    /^lib\/(model|eval|text)\/|train\/step\.ts/.test(path)
  );
  deepStrictEqual(holding(mathematics, /\bperformance\.now\b/), []);
});

Deno.test("only tasks print and end the process", () => {
  const rooms = LIB.filter(({ path }) => roomOf(path) !== "cli");
  deepStrictEqual(
    holding(rooms, /\bconsole\.\w|\bDeno\.(exit|std(out|err))\b|\bprocess\.exit\b/),
    [],
  );
});

Deno.test("the compiler and the linter are not quieted outside the engine", () => {
  const quiet = (sources: readonly Source[], pattern: RegExp) =>
    sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
  const rooms = ALL.filter(({ path }) => !/^lib\/engine\/|structure_test/.test(path));
  deepStrictEqual(quiet(rooms, /deno-lint-ignore|@ts-(ignore|expect-error|nocheck)/), []);
  deepStrictEqual(holding(LIB, /(:|\bas|<) any\b/), []);
});

Deno.test("no value is declared present by a mark outside the engine", async () => {
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

Deno.test("no file holds a path of some machine", () => {
  const pattern = new RegExp(`["'\`(=: ](file://)?/${"(home|work|tmp)"}/`);
  deepStrictEqual(ALL.filter(({ text }) => pattern.test(text)).map(({ path }) => path), []);
});
