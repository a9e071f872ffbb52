/** The help of all tasks, and the command reference that is generated from it. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { composeReference, readAllHelp, REFERENCE } from "@/cli/development/command_reference.ts";

const TASKS = await readAllHelp();

Deno.test("the help of each task lists its options in the usage line, and no default twice", () => {
  ok(TASKS.length > 15, "the premise: tasks are found");
  const wrong: string[] = [];
  for (const { name, help } of TASKS) {
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

Deno.test("the command reference is up to date", async () => {
  strictEqual(
    await Deno.readTextFile(REFERENCE),
    composeReference(TASKS),
    "run deno run -A lib/cli/development/command_reference.ts to update it",
  );
});

Deno.test("deno.json lists the tasks for users before those for the development of the project", () => {
  const names = TASKS.map(({ name }) => name);
  const users = TASKS.filter(({ forUsers }) => forUsers).map(({ name }) => name);
  ok(users.includes("train") && !users.includes("bench"), "the premise: both groups are found");
  deepStrictEqual(names.slice(0, users.length), users);
});
