import { deepStrictEqual, ok } from "node:assert/strict";

type Tasks = Readonly<Record<string, { readonly command: string }>>;
const { tasks }: { tasks: Tasks } = JSON.parse(await Deno.readTextFile("deno.json"));

/** What `deno task NAME --help` prints. */
async function readHelp(command: string): Promise<string> {
  const [, ...args] = command.split(" ");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [args[0] ?? "", "--no-check", ...args.slice(1), "--help"],
    env: { NO_COLOR: "1", DEBUG: "" },
  }).output();
  deepStrictEqual([code, new TextDecoder().decode(stderr)], [0, ""], command);
  return new TextDecoder().decode(stdout);
}

Deno.test("the help of each task names its options in its usage, and no default twice", async () => {
  const wrong: string[] = [];
  for (const [name, { command }] of Object.entries(tasks)) {
    const help = await readHelp(command);
    const [usage = ""] = help.match(/^usage: .*$/m) ?? [];
    ok(usage.startsWith(`usage: deno task ${name}`), usage);
    const options = [...help.matchAll(/^ {2}--([\w-]+)[^\n]*(?:\n {20,}[^\n]*)?/gm)];
    ok(options.length >= 2, `the test reads the options of ${name}`);
    for (const [text, option = ""] of options) {
      if (!["debug", "help"].includes(option) && !usage.includes(`--${option}`)) {
        wrong.push(`${name}: the usage lacks --${option}`);
      }
      if ((text.match(/\bdefault\b/g) ?? []).length > 1) wrong.push(`${name}: ${text.trim()}`);
    }
  }
  deepStrictEqual(wrong, []);
});
