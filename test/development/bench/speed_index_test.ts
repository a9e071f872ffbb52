/** Overview page of all benchmarks. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { formatLoadPage } from "@/development/load/format_load.ts";
import { formatMarkdown } from "@/development/bench/format_results.ts";
import { writeSpeedIndex } from "@/development/bench/speed_index.ts";

const CONTEXT = {
  machine: { cpu: "Abacus 9", cores: 2, memoryGiB: 24, flags: [] },
  versions: {},
  threads: 2,
  command: "deno task bench",
};
const FIGURES = { medianMs: 1800.4, minMs: 1750, peakMiB: 1559 };
const RESULT = {
  ...{
    name: "step-mini",
    precision: "float32",
    executor: "native",
    settings: "",
    shape: "2x32x64",
  },
  ...{ ours: FIGURES, torch: null, torchAll: [], ratio: null, details: {} },
};
const TORCH = { ...FIGURES, medianMs: 3600.8, peakMiB: 2000, variant: "eager", version: "2.13.0" };

async function withFolder(
  files: Readonly<Record<string, unknown>>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), JSON.stringify(content));
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writeSpeedIndex() writes one row per result, comparisons with PyTorch first", async () => {
  const files = {
    "alone.json": { ...CONTEXT, results: [RESULT] },
    "beside.json": { ...CONTEXT, results: [{ ...RESULT, torch: TORCH, ratio: 0.5 }] },
    "load.json": {
      ...CONTEXT,
      result: {
        ...{ clients: 64, seconds: 61.4, answers: 10, errors: 0, answersPerSecond: 51.82 },
        latencyMs: { p50: 1200.4, p95: 2200, p99: 2700, max: 3000 },
        residentMiB: { start: 443, middle: 450, end: 470, max: 480 },
      },
    },
  };
  await withFolder(files, async (folder) => {
    strictEqual(await writeSpeedIndex(folder), join(folder, "README.md"));
    const rows = (await Deno.readTextFile(join(folder, "README.md"))).split("\n")
      .filter((line) => line.startsWith("| Abacus"));
    deepStrictEqual(rows, [
      "| Abacus 9, 2 cores | 2x32x64 | float32 | native | 1800 | 1559 | 3601 | 2000 | eager | **0.50** | [beside](beside.md) |",
      "| Abacus 9, 2 cores | 2x32x64 | float32 | native | 1800 | 1559 | – | – | – | – | [alone](alone.md) |",
      "| Abacus 9, 2 cores | 64 | 61 | 51.8 | 1200 | 2200 | 2700 | 0 | 443 | 470 | [load](load.md) |",
    ]);
  });
});

Deno.test("writeSpeedIndex() writes nothing without benchmarks and refuses other JSON files", async () => {
  await withFolder({}, async (folder) => {
    strictEqual(await writeSpeedIndex(folder), null);
    strictEqual(await writeSpeedIndex(join(folder, "missing")), null);
  });
  await withFolder({ "other.json": { tasks: [] } }, async (folder) => {
    await rejects(writeSpeedIndex(folder), {
      name: "SyntaxError",
      message:
        `Cannot read benchmark ${join(folder, "other.json")}: it holds neither "results" nor ` +
        '"result"; deno task bench and deno task load write such files',
    });
  });
});

Deno.test("the committed overview of benchmarks matches its JSON files", async () => {
  const committed = join(import.meta.dirname ?? "", "..", "..", "..", "outputs", "benchmarks");
  await withFolder({}, async (folder) => {
    let count = 0;
    for await (const { name } of Deno.readDir(committed)) {
      if (!name.endsWith(".json")) continue;
      await Deno.copyFile(join(committed, name), join(folder, name));
      count++;
    }
    ok(count > 10, "the premise: benchmarks are committed");
    await writeSpeedIndex(folder);
    strictEqual(
      await Deno.readTextFile(join(folder, "README.md")),
      await Deno.readTextFile(join(committed, "README.md")),
    );
  });
});

Deno.test("each committed page of benchmarks is what its JSON file gives", async () => {
  const folder = join(import.meta.dirname ?? "", "..", "..", "..", "outputs", "benchmarks");
  let count = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json")) continue;
    const { results, result, ...context } = JSON.parse(await Deno.readTextFile(join(folder, name)));
    const page = await Deno.readTextFile(join(folder, name.replace(/json$/, "md")));
    // the description of the served model is only in the page
    const subject = /\n\n(.*) Each client sends/.exec(page)?.[1] ?? "";
    const expected = results === undefined
      ? formatLoadPage(result, { context, subject })
      : formatMarkdown(results, context);
    strictEqual(page, expected, name);
    count++;
  }
  ok(count > 10, "the premise: benchmarks are committed");
});
