/**
 * The command reference, `README.md` beside this file, composed from the `--help` of every task. Run this file
 * to write it; a test compares.
 * @module
 */
import { join } from "node:path";
import { readJson, writeFileAtomic } from "@/files.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");

/** Where the reference is. */
export const REFERENCE = join(import.meta.dirname ?? ".", "README.md");

/** Tasks for working on the project itself; all others are for its users. */
const DEVELOPMENT: ReadonlySet<string> = new Set([
  "bench",
  "load",
  "conformance",
  "sanitize",
  "torture",
  "sample",
  "docs",
  "test",
]);

/** A task with the text of its `--help`. */
export type TaskHelp = {
  readonly name: string;
  readonly description: string;
  readonly help: string;
};

type DenoTasks = Readonly<
  Record<string, { readonly description: string; readonly command: string }>
>;

/** The `--help` of every task in `deno.json`, in its order. */
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
    found.push({ name, description, help: decoder.decode(stdout).trimEnd() });
  }
  return found;
}

/** The reference as a page of Markdown. */
export function composeReference(tasks: readonly TaskHelp[]): string {
  const section = (title: string, shown: readonly TaskHelp[]) => [
    `## ${title}`,
    [
      "| task | does |",
      "| --- | --- |",
      ...shown.map(({ name, description }) => `| [\`${name}\`](#${name}) | ${description} |`),
    ].join("\n"),
    ...shown.flatMap(({ name, help }) => [`### ${name}`, "```text\n" + help + "\n```"]),
  ];
  return [
    "# Commands",
    "Composed from the `--help` of each task by `deno run -A lib/cli/command_reference.ts`. [guide.md](guide.md) " +
    "says what the arguments have in common: models and texts, prompts, data, configuration, executors and devices.",
    ...section("Using it", tasks.filter(({ name }) => !DEVELOPMENT.has(name))),
    ...section("Working on it", tasks.filter(({ name }) => DEVELOPMENT.has(name))),
  ].join("\n\n") + "\n";
}

if (import.meta.main) await writeFileAtomic(REFERENCE, composeReference(await readAllHelp()));
