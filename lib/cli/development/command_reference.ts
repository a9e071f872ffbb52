/**
 * Generates the command reference, `lib/cli/README.md`, from the `--help` of every task. A test checks that it
 * is up to date; run this file to rewrite it.
 * @module
 */
import { join } from "node:path";
import { readJson, writeFileAtomic } from "@/system/files.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..", "..");

/** Path of the reference. */
export const REFERENCE = join(import.meta.dirname ?? ".", "..", "README.md");

/** Task with its `--help` text. */
type TaskHelp = {
  readonly name: string;
  readonly description: string;
  readonly help: string;
  /** True if the task is for users; others, outside `lib/cli/*.ts`, are for the development of the project. */
  readonly forUsers: boolean;
};

type DenoTasks = Readonly<
  Record<string, { readonly description: string; readonly command: string }>
>;

/** Reads the `--help` of every task in `deno.json`, in the same order. */
export async function readAllHelp(): Promise<readonly TaskHelp[]> {
  const { tasks } = await readJson(join(ROOT, "deno.json"), "tasks") as { tasks: DenoTasks };
  const found: TaskHelp[] = [];
  for (const [name, { description, command }] of Object.entries(tasks)) {
    const [, verb = "", ...args] = command.split(" ");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [verb, "--no-check", ...args, "--help"],
      cwd: ROOT,
      env: { NO_COLOR: "1", DEBUG: "" },
    }).output();
    const decoder = new TextDecoder(), complaint = decoder.decode(stderr);
    if (code !== 0 || complaint !== "") {
      throw new Error(`Cannot read the help of ${name}: exit code ${code}: ${complaint}`);
    }
    const help = decoder.decode(stdout).trimEnd();
    found.push({ name, description, help, forUsers: /lib\/cli\/\w+\.ts$/.test(command) });
  }
  return found;
}

/** Composes the reference as Markdown. */
export function composeReference(tasks: readonly TaskHelp[]): string {
  const section = (title: string, shown: readonly TaskHelp[]) => [
    `## ${title}`,
    [
      "| task | description |",
      "| --- | --- |",
      ...shown.map(({ name, description }) => `| [\`${name}\`](#${name}) | ${description} |`),
    ].join("\n"),
    ...shown.flatMap(({ name, help }) => [`### ${name}`, "```text\n" + help + "\n```"]),
  ];
  return [
    "# Commands",
    "Generated from the `--help` of each task by `deno run -A lib/cli/development/command_reference.ts`. [guide.md](guide.md) " +
    "explains what the commands have in common: models and texts, prompts, data, configuration, executors and devices.",
    ...section("For users", tasks.filter(({ forUsers }) => forUsers)),
    ...section("For developers", tasks.filter(({ forUsers }) => !forUsers)),
  ].join("\n\n") + "\n";
}

if (import.meta.main) await writeFileAtomic(REFERENCE, composeReference(await readAllHelp()));
