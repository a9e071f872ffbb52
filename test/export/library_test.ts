import { match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { withSavedModel } from "../eval/saved_model.ts";

const ROOT = join(import.meta.dirname ?? "", "../..");

/** A program of another project: what README shows. */
const PROGRAM = `
import { encode, openEngine, predict, resolveConfig, trainRun } from "@stx/sentence-transformer";
const [run = ""] = Deno.args;
await openEngine({ executor: "onnx" });
const [vector] = await encode(run, ["Ada Lovelace wrote to Babbage."]);
const [prediction] = await predict(run, ["yes"]);
const { preset } = resolveConfig();
console.log(JSON.stringify({ norm: Math.hypot(...vector), prediction, preset, train: typeof trainRun }));
`;

/** Copies a folder's files, those of TypeScript, C and JSON. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}

Deno.test("another project imports the library from a folder in its workspace", async () => {
  const project = await Deno.makeTempDir();
  const member = join(project, "vendor/sentence-transformer");
  try {
    await copyFolder(join(ROOT, "lib"), join(member, "lib"));
    await Deno.copyFile(join(ROOT, "deno.json"), join(member, "deno.json"));
    await Deno.copyFile(join(ROOT, "deno.lock"), join(project, "deno.lock"));
    const readme = await Deno.readTextFile(join(ROOT, "README.md"));
    const settings = /^```json\n(\{ "nodeModulesDir": "auto", "workspace": .*\})\n```$/m.exec(
      readme,
    )?.[1];
    ok(settings !== undefined, "README shows the settings");
    // packages are installed already, and stay as they are
    await Deno.writeTextFile(join(project, "deno.json"), settings.replace('"auto"', '"manual"'));
    await Deno.symlink(join(ROOT, "node_modules"), join(project, "node_modules")); // installed already
    await Deno.writeTextFile(join(project, "main.ts"), PROGRAM);
    await withSavedModel([0, 0, 0], async (_, folder) => {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "main.ts", folder],
        cwd: project,
        env: { NO_COLOR: "1" },
      }).output();
      const text = new TextDecoder().decode(stdout);
      ok(success, new TextDecoder().decode(stderr));
      const { norm, prediction, preset, train } = JSON.parse(text);
      ok(Math.abs(norm - 1) < 1e-5, "the model's embeddings are of L2 length one");
      match(prediction.labels.topic.label, /^[abc]$/);
      strictEqual(preset, "quickstart");
      strictEqual(train, "function");
    });
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});
