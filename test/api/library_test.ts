import { match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { isObject } from "@/config_rules.ts";
import { isFile, readJson } from "@/files.ts";

const ROOT = join(import.meta.dirname ?? "", "../..");

/** Copies a folder recursively. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}

Deno.test("README's example runs in another project that has the library in its workspace", async () => {
  const project = await Deno.makeTempDir();
  const member = join(project, "vendor/sentence-transformer");
  try {
    await copyFolder(join(ROOT, "lib"), join(member, "lib"));
    await copyFolder(join(ROOT, "data/sample"), join(member, "data/sample"));
    await Deno.copyFile(join(ROOT, "deno.json"), join(member, "deno.json"));
    await Deno.copyFile(join(ROOT, "deno.lock"), join(project, "deno.lock"));
    const readme = await Deno.readTextFile(join(ROOT, "README.md"));
    const settings = /^```json\n(\{ "nodeModulesDir": "auto", "workspace": .*\})\n```$/m.exec(
      readme,
    )?.[1];
    ok(settings !== undefined, "README has the settings");
    // uses the packages that are already installed
    await Deno.writeTextFile(join(project, "deno.json"), settings.replace('"auto"', '"manual"'));
    await Deno.symlink(join(ROOT, "node_modules"), join(project, "node_modules"));
    const [program = ""] = /(?<=^```ts\n)import .*"@stx\/sentence-transformer";\n[^]*?(?=^```$)/m
      .exec(readme) ?? [];
    ok(program.includes("await train("), "README has an example program");
    await Deno.writeTextFile(join(project, "main.ts"), program);
    const start = async (source: string) => {
      await Deno.writeTextFile(join(project, "main.ts"), source);
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "main.ts"],
        cwd: project,
        env: { NO_COLOR: "1" },
      }).output();
      const decoder = new TextDecoder();
      return { success, out: decoder.decode(stdout), error: decoder.decode(stderr) };
    };
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
    strictEqual(again.out, first.out, "the same run has the same predictions");
    const refused = await start(program.replace("resume: true", "resume: false"));
    strictEqual(refused.success, false);
    match(
      refused.error,
      /AlreadyExists: Cannot train into run: it holds a run; pass resume: true to continue it, /,
    );
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});
