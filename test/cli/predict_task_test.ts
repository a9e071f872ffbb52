import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join, resolve } from "node:path";
import pl from "nodejs-polars";
import type { PromptSettings } from "@/text/prompts.ts";
import { TEXTS, writeRun } from "../eval/saved_model.ts";

type Ended = { readonly code: number; readonly out: string[]; readonly error: string[] };

/** Runs a command-line task with `input` on stdin, in the folder `cwd` if given. */
async function runTaskFile(
  name: string,
  args: readonly string[],
  input = "",
  cwd = Deno.cwd(),
): Promise<Ended> {
  const [config, script] = ["deno.json", `lib/cli/${name}.ts`].map((path) => resolve(path));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", `--config=${config}`, script ?? "", ...args],
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", DEBUG: "" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close().catch(() => {}); // a task that fails closes its stdin
  const { code, stdout, stderr } = await child.output();
  const lines = (bytes: Uint8Array) =>
    new TextDecoder().decode(bytes).split("\n").filter((line) => line !== "");
  return { code, out: lines(stdout), error: lines(stderr) };
}

async function withRun(
  test: (folder: string) => Promise<void>,
  prompts?: PromptSettings,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await writeRun(folder, [0, 1, -1], prompts); // the model starts an entity at every word
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("predict treats texts from arguments and from stdin alike, and prints nothing else", async () => {
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

Deno.test("encode prints one vector per line, with --json together with its text", async () => {
  await withRun(async (folder) => {
    const input = TEXTS.join("\n");
    const json = await runTaskFile("encode", [join(folder, "model"), "--json"], input);
    deepStrictEqual(json.error, []);
    const rows = json.out.map((line) => JSON.parse(line));
    deepStrictEqual(rows.map(({ text }) => text), TEXTS);
    for (const { embedding } of rows) {
      strictEqual(embedding.length, 16);
      ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-5, "the model normalizes by L2");
    }
    const plain = await runTaskFile("encode", [folder, "--normalize", "l1"], "yes");
    const sum = (plain.out[0] ?? "").split(" ").reduce((sum, x) => sum + Math.abs(Number(x)), 0);
    ok(Math.abs(sum - 1) < 1e-5, "L1 as asked");
  });
});

Deno.test("encode prepends the default prompt, a prompt given by name, or a given prompt", async () => {
  const prompts = {
    prompts: { query: "yes: ", document: "wrote to " },
    defaultPromptName: "query",
    includePrompt: true,
  };
  await withRun(async (folder) => {
    const encode = async (...args: string[]) =>
      (await runTaskFile("encode", [folder, ...args])).out;
    deepStrictEqual(await encode("Ada"), await encode("yes: Ada", "--prompt="));
    deepStrictEqual(
      await encode("Ada", "--prompt-name", "document"),
      await encode("Ada", "--prompt", "wrote to "),
    );
    notDeepStrictEqual(await encode("Ada"), await encode("Ada", "--prompt="));
    const { error } = await runTaskFile("encode", [folder, "Ada"]);
    deepStrictEqual(error, [
      'The model\'s default prompt "query" is prepended to each text: "yes: ". Write --prompt= for none.',
    ]);
    deepStrictEqual((await runTaskFile("encode", [folder, "Ada", "--prompt="])).error, []);
    const unknown = await runTaskFile("encode", [folder, "Ada", "--prompt-name", "passage"]);
    deepStrictEqual([unknown.code, unknown.error], [1, [
      'error: Cannot find the prompt "passage": the model\'s prompts are query, document',
    ]]);
  }, prompts);
});

Deno.test("encode accepts blank texts, and writes the printed numbers to a file", async () => {
  await withRun(async (folder) => {
    const texts = ["yes", "", "Ada won."];
    const printed = await runTaskFile("encode", [folder, ...texts, "--json"]);
    const rows = printed.out.map((line) => JSON.parse(line));
    deepStrictEqual(rows.map(({ text }) => text), texts);
    const file = join(folder, "vectors.parquet");
    const input = texts.join("\r\n"); // the last line has no line break
    const written = await runTaskFile("encode", [folder, "--output", file], input);
    deepStrictEqual(written.out, [`${file}: 3 embeddings of 16 dimensions`]);
    strictEqual(written.error.at(-1), "encode  3/3");
    const records = pl.readParquet(file).toRecords();
    deepStrictEqual(records.map(({ text }) => text), texts);
    for (const [i, { embedding }] of rows.entries()) {
      const kept = Array.from(records[i]?.["embedding"] as Iterable<number>);
      ok(embedding.every((x: number, k: number) => Math.abs(x - (kept[k] ?? NaN)) < 1e-6));
    }
  });
});

Deno.test("predict prints entity offsets in UTF-16 code units or in code points", async () => {
  await withRun(async (folder) => {
    const places = async (...args: string[]) => {
      const { out } = await runTaskFile("predict", [folder, "😀 Ada", "--json", ...args]);
      return JSON.parse(out[0] ?? "").entities.tags
        .map(({ text, start, end }: Record<string, unknown>) => [text, start, end]);
    };
    deepStrictEqual((await places()).at(-1), ["Ada", 3, 6]);
    deepStrictEqual((await places("--offsets", "codepoints")).at(-1), ["Ada", 2, 5]);
  });
});

Deno.test("predict and encode use the newest run in outputs/ by default, and say so", async () => {
  await withRun(async (folder) => {
    const run = join(folder, "outputs", "mine");
    await Deno.mkdir(run, { recursive: true });
    await Deno.rename(join(folder, "model"), join(run, "model"));
    await Deno.writeTextFile(join(run, "summary.json"), "{}");
    for (const name of ["predict", "encode"]) {
      const { code, out, error } = await runTaskFile(name, ["--json"], "yes\n\n", folder);
      deepStrictEqual(error, [`model: ${join("outputs", "mine")}, the newest run`]);
      deepStrictEqual([code, ...out.map((line) => JSON.parse(line).text)], [0, "yes", ""]);
    }
    const empty = await runTaskFile("predict", [], "", folder);
    deepStrictEqual([empty.code, empty.out], [0, []]);
    strictEqual(empty.error.at(-1), "no texts: standard input is empty");
  });
});

/** `script` of util-linux runs a program in a pseudo-terminal. */
const canAllocateTerminal = new Deno.Command("sh", {
  args: ["-c", "script --version 2>/dev/null | grep -q util-linux"],
}).outputSync().success;

Deno.test({
  name: "predict explains how to enter texts in a terminal, and processes them line by line",
  ignore: !canAllocateTerminal,
  fn: () =>
    withRun(async (folder) => {
      const command = `'${Deno.execPath()}' run -A --no-check lib/cli/predict.ts '${folder}'`;
      const child = new Deno.Command("script", {
        args: ["--quiet", "--return", "--echo", "never", "--command", command, "/dev/null"],
        stdin: "piped",
        stdout: "piped",
        env: { NO_COLOR: "1", DEBUG: "" },
      }).spawn();
      const keys = child.stdin.getWriter();
      await keys.write(new TextEncoder().encode("yes\n\n\x04")); // Ctrl+D
      const { code, stdout } = await child.output();
      await keys.close();
      const lines = new TextDecoder().decode(stdout).split("\r\n");
      deepStrictEqual(
        [code, lines[0]],
        [
          0,
          "Enter one text per line and end with Ctrl+D. Texts can also be given as arguments: " +
          'deno task predict MODEL "a text"',
        ],
      );
      strictEqual(lines.filter((line) => line.startsWith("  topic")).length, 2);
    }),
});

Deno.test("predict and encode end without an error when the output pipe is closed", async () => {
  await withRun(async (folder) => {
    const texts = "Ada won.\n".repeat(20_000);
    for (const name of ["predict", "encode"]) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", "--no-check", `lib/cli/${name}.ts`, folder, "--json"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
        env: { NO_COLOR: "1", DEBUG: "" },
      }).spawn();
      const writing = new Blob([texts]).stream().pipeTo(child.stdin).catch(() => {});
      const reader = child.stdout.getReader();
      ok((await reader.read()).value?.length);
      await reader.cancel(); // as head -1 does
      const [{ code }, error] = await Promise.all([
        child.status,
        new Response(child.stderr).text(),
        writing,
      ]);
      deepStrictEqual([code, error], [0, ""]);
    }
  });
});

Deno.test({
  name: "encode explains errors of standard input and output",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withRun(async (folder) => {
      const cases = [
        [
          "< lib",
          "Cannot read texts from standard input: Is a directory (os error 21)",
        ],
        [
          "yes > /dev/full",
          "Cannot write results to standard output: No space left on device (os error 28)",
        ],
      ];
      for (const [redirection, message] of cases) {
        const run = `'${Deno.execPath()}' run -A --no-check lib/cli/encode.ts '${folder}'`;
        const { code, stderr } = await new Deno.Command("sh", {
          args: ["-c", `${run} ${redirection}`],
          env: { NO_COLOR: "1", DEBUG: "" },
        }).output();
        deepStrictEqual([code, new TextDecoder().decode(stderr)], [1, `error: ${message}\n`]);
      }
    }),
});

Deno.test("predict and encode fail with a one-line error and exit code 1", async () => {
  const cases: [string, string[], string][] = [
    [
      "predict",
      ["Ada won."],
      'error: Cannot run predict: the first argument must be a model, but "Ada won." is not a folder. ' +
      'Write deno task predict MODEL "Ada won.", or pass the text on standard input to use the default model',
    ],
    [
      "predict",
      ["test", "-3 in Tarnby"],
      'error: Cannot run predict: "-3 in Tarnby" starts with a dash and is read as an option; ' +
      'write -- before texts that start with a dash: deno task predict MODEL -- "-3 in Tarnby"',
    ],
    [
      "predict",
      ["--", "-5"],
      'error: Cannot run predict: the first argument must be a model, but "-5" is not a folder. Write deno task ' +
      'predict MODEL -- "-5", or pass the text on standard input to use the default model',
    ],
    [
      "encode",
      ["test/none", "--output", "vectors.csv"],
      "error: Cannot write vectors to vectors.csv: its name must end in .npy or .parquet",
    ],
    [
      "encode",
      ["test/none", "--output", "vectors.npy", "--json"],
      "error: Cannot run encode: --json and --output cannot be combined",
    ],
    [
      "predict",
      ["test/none"],
      "error: Cannot open model: test/none does not exist and is not the name of a repository on the Hub",
    ],
    [
      "encode",
      ["test/none", "--pooling", "sum"],
      "error: Cannot run encode: --pooling must be one of mean, cls, cls-token, max, not sum",
    ],
  ];
  for (const [name, args, message] of cases) {
    deepStrictEqual(await runTaskFile(name, args), { code: 1, out: [], error: [message] });
  }
});
