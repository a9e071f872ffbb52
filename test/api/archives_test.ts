/** The archives of the package, each unpacked into an empty project that runs the example of its README. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { isObject } from "@/schema.ts";
import { encode, predict } from "@/api/library.ts";
import { isFile, readJson } from "@/system/files.ts";

const ROOT = join(import.meta.dirname ?? "", "../..");
const MODEL = join(ROOT, "outputs/minilm-bfloat16/model");
const NAME = "@stx/sentence-transformer";

type Output = { readonly success: boolean; readonly out: string; readonly error: string };

async function run(command: string, args: readonly string[], cwd: string): Promise<Output> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { success, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

/** Major version of the Node.js on the path; 0 if there is none. */
async function findNode(): Promise<number> {
  try {
    return Number(/^v(\d+)/.exec((await run("node", ["--version"], ROOT)).out)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

const node = await findNode();
const packed = await Deno.makeTempDir();

/** Packs both archives, once. */
let packing: Promise<Output> | undefined;
const pack = () =>
  packing ??= run(
    Deno.execPath(),
    ["run", "-A", "--no-check", "lib/cli/development/pack.ts", "--out", packed],
    ROOT,
  );

/** The code block of a Markdown file that imports the package. */
async function readExample(path: string, language: "ts" | "js"): Promise<string> {
  const pattern = new RegExp(
    `(?<=^\`\`\`${language}(?: ignore)?\\n)import .*"${NAME}";\\n[^]*?(?=^\`\`\`$)`,
    "m",
  );
  const [program = ""] = pattern.exec(await Deno.readTextFile(path)) ?? [];
  ok(program !== "", `${path} shows a program`);
  ok(program.trim().split("\n").length <= 11, "an import and ten lines");
  return program;
}

globalThis.addEventListener("unload", () => Deno.removeSync(packed, { recursive: true }));

/**
 * Runs `test` with a project of Deno in which the archive is unpacked; `start` runs a program there. `imports` are the
 * project's own.
 */
async function inDenoProject(
  imports: Readonly<Record<string, string>>,
  test: (project: string, start: (source: string) => Promise<Output>) => Promise<void>,
): Promise<void> {
  const { success, error } = await pack();
  ok(success, error);
  const project = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(project, "vendor"));
    const { version } = await readJson(join(ROOT, "deno.json"), "manifest") as { version: string };
    const archive = join(packed, `sentence-transformer-${version}-deno.tgz`);
    ok((await run("tar", ["-xzf", archive, "-C", "vendor"], project)).success);
    const settings = /^```json\n(\{ "nodeModulesDir": "auto", "workspace": .*\})\n```$/m
      .exec(await Deno.readTextFile(join(ROOT, "README.md")))?.[1];
    ok(settings !== undefined, "README shows the settings");
    // packages are installed already, and stay as they are
    const config = { ...JSON.parse(settings), nodeModulesDir: "manual", imports };
    await Deno.writeTextFile(join(project, "deno.json"), JSON.stringify(config));
    await Deno.copyFile(join(ROOT, "deno.lock"), join(project, "deno.lock"));
    await Deno.symlink(join(ROOT, "node_modules"), join(project, "node_modules"));
    await test(project, async (source) => {
      await Deno.writeTextFile(join(project, "main.ts"), source);
      return await run(Deno.execPath(), ["run", "-A", "--no-check", "main.ts"], project);
    });
  } finally {
    await Deno.remove(project, { recursive: true });
  }
}

Deno.test("a project of Deno runs README's example with the unpacked archive", async () => {
  const program = await readExample(join(ROOT, "README.md"), "ts");
  await inDenoProject({}, async (project, start) => {
    const first = await start(program);
    ok(first.success, first.error);
    match(first.error, /^train .*20\/20/m, "progress is shown");
    for (const file of ["report.html", "summary.json", "model/README.md"]) {
      ok(await isFile(join(project, "run", file)), file);
    }
    const environment = await readJson(join(project, "run", "environment.json"), "environment");
    ok(isObject(environment) && isObject(environment.cpu), "the environment is recorded");

    const again = await start(program);
    ok(again.success, again.error);
    match(again.error, /the run in run is complete: there is nothing left to train/);
    strictEqual(again.out, first.out, "the same run gives the same answers");
  });
});

Deno.test("a project of Deno runs the example of the engine's README with its own TensorFlow.js", async () => {
  const readme = await Deno.readTextFile(join(ROOT, "lib/engine/README.md"));
  const [, program = ""] = /^```ts\n([^]*?)^```$/m.exec(readme) ?? [];
  match(program, /from "@stx\/sentence-transformer\/engine"/);
  ok(program.trim().split("\n").length <= 15, "15 lines");
  const { imports } = await readJson(join(ROOT, "deno.json"), "manifest") as {
    imports: Record<string, string>;
  };
  const tensorflow = imports["@tensorflow/tfjs"] ?? "";
  ok(readme.includes(`deno add ${tensorflow}\``), "the release of TensorFlow.js is the engine's");
  await inDenoProject({ "@tensorflow/tfjs": tensorflow }, async (_, start) => {
    const { success, out, error } = await start(program);
    ok(success, error);
    const weights: readonly number[] = JSON.parse(out).flat();
    deepStrictEqual(weights.map((weight) => Math.round(weight * 1e5) / 1e5), [1, 2]);
  });
});

/** Prints embeddings and predictions by the package in Node.js. */
const PROBE = `
import { encode, load, predict } from "${NAME}";
const texts = JSON.parse(process.argv[2]);
const embeddings = await encode(${JSON.stringify(MODEL)}, texts);
const predictions = await predict(${JSON.stringify(MODEL)}, texts);
const messages = [];
await load("nowhere").catch(({ name, message }) => messages.push(name, message));
await load(".").catch(({ name, message }) => messages.push(name, message));
console.log(JSON.stringify({ embeddings: embeddings.map((e) => [...e]), predictions, messages }));
`;

Deno.test({
  name: "a project of Node.js runs the example of the npm package, with Deno's numbers",
  ignore: node < 20, // needs Node.js
  async fn() {
    const { success, error } = await pack();
    ok(success, error);
    const project = await Deno.makeTempDir();
    try {
      const modules = join(project, "node_modules");
      await Deno.mkdir(join(modules, "@stx"), { recursive: true });
      await Deno.mkdir(join(modules, "@huggingface"));
      const { version } = await readJson(join(ROOT, "deno.json"), "manifest") as {
        version: string;
      };
      const archive = join(packed, `sentence-transformer-${version}-npm.tgz`);
      ok((await run("tar", ["-xzf", archive, "-C", "node_modules/@stx"], project)).success);
      await Deno.rename(join(modules, "@stx/package"), join(modules, NAME));
      const { dependencies } = await readJson(join(modules, NAME, "package.json"), "manifest") as {
        dependencies: Record<string, string>;
      };
      // dependencies are installed already, in the releases that the package asks for
      for (const each of Object.keys(dependencies)) {
        await Deno.symlink(join(ROOT, "node_modules", each), join(modules, each));
        const installed = await readJson(join(modules, each, "package.json"), "manifest");
        ok(isObject(installed));
        strictEqual(dependencies[each], `^${installed.version}`);
      }
      await Deno.writeTextFile(join(project, "package.json"), '{ "type": "module" }');

      const example = await readExample(join(ROOT, "lib/api/node_library.md"), "js");
      const program = example.replace("path/to/model", MODEL);
      await Deno.writeTextFile(join(project, "main.js"), program);
      const shown = await run("node", ["main.js"], project);
      ok(shown.success, shown.error);
      match(shown.out, /^cosine 0\.\d+\n[^]*'Serena Okafor'[^]*perClass/);

      await Deno.writeTextFile(join(project, "probe.js"), PROBE);
      const texts = ["Serena Okafor won the marathon in Boston.", "Shares of Nexavor fell.", ""];
      const probed = await run("node", ["probe.js", JSON.stringify(texts)], project);
      ok(probed.success, probed.error);
      const { embeddings, predictions, messages } = JSON.parse(probed.out);
      deepStrictEqual(messages, [
        "NotFound",
        "Cannot open model: there is no folder nowhere",
        "NotFound",
        "Cannot open model .: it holds no exported graph; export one with `deno task export`",
      ]);
      const expected = await encode(MODEL, texts);
      strictEqual(embeddings.length, texts.length);
      expected.forEach((embedding, text) => {
        strictEqual(embeddings[text].length, embedding.length);
        embedding.forEach((value, i) => {
          const got = embeddings[text][i];
          ok(Math.abs(got - value) <= 1e-5, `text ${text}, ${i}: ${got} and ${value}`);
        });
      });
      const round = (json: unknown) =>
        JSON.parse(
          JSON.stringify(json),
          (_, value) => typeof value === "number" ? Math.round(value * 1e4) / 1e4 : value,
        );
      deepStrictEqual(round(predictions), round(await predict(MODEL, texts)));

      // types: the example is also TypeScript
      await Deno.writeTextFile(join(project, "deno.json"), '{ "nodeModulesDir": "manual" }');
      await Deno.writeTextFile(join(project, "typed.ts"), program);
      const right = await run(Deno.execPath(), ["check", "typed.ts"], project);
      ok(right.success, right.error);
      await Deno.writeTextFile(join(project, "typed.ts"), program + "const n: number = model;\n");
      const wrong = await run(Deno.execPath(), ["check", "typed.ts"], project);
      match(wrong.error, /Type 'GraphModel' is not assignable to type 'number'/);
    } finally {
      await Deno.remove(project, { recursive: true });
    }
  },
});
