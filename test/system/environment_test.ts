import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import project from "../../deno.json" with { type: "json" };
import {
  COMMAND_VARIABLE,
  describeCommand,
  describeEnvironment,
  describeStart,
  pickVersions,
} from "@/system/environment.ts";

const ROOT = join(import.meta.dirname ?? "", "../..");
const TRAIN = pathToFileURL(join(ROOT, "lib", "cli", "train.ts")).href;

Deno.test("describeEnvironment() lists only the packages that compute a run", async () => {
  const on = (executor: string) => {
    const { versions } = describeEnvironment("cpu", { name: executor, version: "1", threads: 1 });
    return Object.keys(versions ?? {});
  };
  const runtime = ["deno", "v8", "typescript"];
  const always = ["@huggingface/tokenizers", "@tensorflow/tfjs", "nodejs-polars"];
  deepStrictEqual(on("native").sort(), [...runtime, ...always, "onnxruntime-node"].sort());
  deepStrictEqual(on("eager").sort(), [...runtime, ...always, "@tensorflow/tfjs-node-gpu"].sort());
  // Packages that the code of a run imports, except those that find, fetch and parse files: the rows have digests.
  const info = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", join(ROOT, "lib", "train", "train_run.ts")],
    cwd: ROOT,
  }).output();
  const graph: { readonly modules: readonly { readonly specifier: string }[] } = JSON.parse(
    new TextDecoder().decode(info.stdout),
  );
  const imported = graph.modules.flatMap(({ specifier }) =>
    /^npm:\/?((?:@[^/]+\/)?[^@/]+)@/.exec(specifier)?.[1] ?? []
  );
  const declared = Object.keys(project.imports);
  const used = [...new Set(imported)].filter((name) => declared.includes(name));
  ok(used.includes("@tensorflow/tfjs"), "the premise: the graph names packages");
  const listed = new Set([
    ...on("native"),
    ...on("eager"),
    ...["@huggingface/hub", "csv-parse", "hyparquet", "jsonc-parser", "yaml", "zod"],
  ]);
  deepStrictEqual(used.filter((name) => !listed.has(name)), []);
});

Deno.test("pickVersions() drops packages of tests and figures from an old environment", () => {
  const versions = {
    deno: "2",
    "fast-check": "4",
    "@observablehq/plot": "0",
    "nodejs-polars": "1",
  };
  deepStrictEqual(pickVersions(versions, "native"), { deno: "2", "nodejs-polars": "1" });
});

Deno.test("describeCommand() returns the command as typed, without absolute paths", () => {
  const command = (args: readonly string[], cwd = "/srv/ann/project") =>
    describeCommand({ mainModule: TRAIN, args, cwd });
  for (
    const [args, expected] of [
      [[], ""],
      [["--preset", "minilm", "--out", "outputs/a"], " --preset minilm --out outputs/a"],
      [["--out", "/srv/ann/project/outputs/a"], " --out outputs/a"],
      [["--data", "/srv/ann/data"], " --data ../data"],
      [["--data=/opt/secret/data"], " --data=…/data"],
      [["--set", "data.dir=/opt/x"], " --set data.dir=…/x"],
      [
        ["--set", 'tasks=[{"dataset":"/srv/ann/project/mine"}]'],
        ` --set 'tasks=[{"dataset":"mine"}]'`,
      ],
      [["--config", "file:///opt/c.json"], " --config …/c.json"],
      [["--out", "it's mine"], ` --out 'it'\\''s mine'`],
      [["--model", "owner/name", "--set", "seed=1/2"], " --model owner/name --set seed=1/2"],
    ] as const
  ) strictEqual(command(args), `deno task train${expected}`);
  // below the root everything is a neighbor, which would show the whole path
  strictEqual(command(["/srv/data"], "/app"), "deno task train …/data");
});

Deno.test("describeCommand() returns the user's script, or null in a notebook", () => {
  const [cwd, args] = ["/srv/ann", ["--fast"]];
  const of = (mainModule: string) => describeCommand({ mainModule, args, cwd });
  strictEqual(of("file:///srv/ann/mine/go.ts"), "deno run mine/go.ts --fast");
  strictEqual(of("file:///srv/ann/$deno$jupyter.mts"), null);
});

Deno.test("describeStart() returns date, commit and whether there are uncommitted changes", async () => {
  const root = await Deno.makeTempDir();
  const git = async (...args: readonly string[]) => {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", root, "-c", "user.name=a", "-c", "user.email=a@example.org", ...args],
    }).output();
    ok(success, args.join(" "));
    return new TextDecoder().decode(stdout).trim();
  };
  const commit = async () => (await describeStart({ root })).commit;
  try {
    strictEqual(await commit(), null, "no repository");
    await git("init", "-q");
    await Deno.mkdir(join(root, "lib"));
    await Deno.writeTextFile(join(root, "lib", "a.ts"), "");
    await Deno.writeTextFile(join(root, "deno.json"), "{}");
    strictEqual(await commit(), null, "a repository around code that it does not track");
    await git("add", ".");
    await git("commit", "-qm", "a");
    const hash = (await git("rev-parse", "HEAD")).slice(0, 7);
    strictEqual(await commit(), hash);
    await Deno.writeTextFile(join(root, "notes.txt"), "no code");
    strictEqual(await commit(), hash);
    await Deno.writeTextFile(join(root, "lib", "b.ts"), "");
    strictEqual(await commit(), `${hash} with uncommitted changes`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
  // 2026-01-02 is 20,455 days after 1970-01-01
  const { started } = await describeStart({ nowMs: 20_455 * 86_400_000 + 1234 });
  strictEqual(started, "2026-01-02T00:00:01Z");
  match((await describeStart()).started, /^20\d\d-/);
});

Deno.test("describeStart() returns the command of the process that started it", async () => {
  Deno.env.set(COMMAND_VARIABLE, "deno task experiment a.json");
  try {
    strictEqual((await describeStart()).command, "deno task experiment a.json");
  } finally {
    Deno.env.delete(COMMAND_VARIABLE);
  }
});
