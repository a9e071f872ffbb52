import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { TEXTS, writeRun } from "../eval/saved_model.ts";

type Ended = { readonly code: number; readonly out: string[]; readonly error: string[] };

/** Runs a task of the command line with `input` on stdin. */
async function runTaskFile(name: string, args: readonly string[], input = ""): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", `lib/cli/${name}.ts`, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", DEBUG: "" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close().catch(() => {}); // a task that fails does not read on
  const { code, stdout, stderr } = await child.output();
  const lines = (bytes: Uint8Array) =>
    new TextDecoder().decode(bytes).split("\n").filter((line) => line !== "");
  return { code, out: lines(stdout), error: lines(stderr) };
}

async function withRun(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await writeRun(folder, [0, 1, -1]); // every word begins an entity
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("predict answers texts from arguments and from stdin alike, and prints nothing else", async () => {
  await withRun(async (folder) => {
    const given = await runTaskFile("predict", [folder, "Ada won.", "yes", "--json"]);
    const read = await runTaskFile("predict", [folder, "--json"], "Ada won.\n\nyes\n");
    deepStrictEqual(given.error, []);
    strictEqual(given.code, 0);
    const texts = given.out.map((line) => JSON.parse(line));
    deepStrictEqual(texts.map(({ text }) => text), ["Ada won.", "yes"]);
    deepStrictEqual(
      texts[0].entities.tags.map(({ type, text, start, end }: Record<string, unknown>) => [
        type,
        text,
        start,
        end,
      ]),
      [["X", "Ada", 0, 3], ["X", "won", 4, 7], ["X", ".", 7, 8]],
    );
    ok(["a", "b", "c"].includes(texts[0].labels.topic.label));
    deepStrictEqual(read.out.map((line) => JSON.parse(line).text), ["Ada won.", "", "yes"]);

    const people = await runTaskFile("predict", [folder, "Ada"]);
    strictEqual(people.out.length, 3);
    strictEqual(people.out[2], "  tags  X  0-3  Ada  66.5 %");
  });
});

Deno.test("encode prints a vector a line, as JSON with its text", async () => {
  await withRun(async (folder) => {
    const input = TEXTS.join("\n");
    const json = await runTaskFile("encode", [join(folder, "model"), "--json"], input);
    deepStrictEqual(json.error, []);
    const rows = json.out.map((line) => JSON.parse(line));
    deepStrictEqual(rows.map(({ text }) => text), TEXTS);
    for (const { embedding } of rows) {
      strictEqual(embedding.length, 16);
      ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-5, "the model normalises by L2");
    }
    const plain = await runTaskFile("encode", [folder, "--normalize", "l1"], "yes");
    const sum = (plain.out[0] ?? "").split(" ").reduce((sum, x) => sum + Math.abs(Number(x)), 0);
    ok(Math.abs(sum - 1) < 1e-5, "L1 as asked");
  });
});

Deno.test("predict and encode refuse in one line with exit code 1", async () => {
  const cases: [string, string[], string][] = [
    ["predict", [], "error: Cannot run predict as RUN must be given: see --help"],
    [
      "predict",
      ["test/none"],
      "error: Cannot open model as test/none must be a run's folder or hold config.json: there is no such folder",
    ],
    [
      "encode",
      ["test/none", "--pooling", "sum"],
      "error: Cannot run encode as --pooling must be one of mean, cls, cls-token, max: current value is sum",
    ],
  ];
  for (const [name, args, message] of cases) {
    deepStrictEqual(await runTaskFile(name, args), { code: 1, out: [], error: [message] });
  }
});
