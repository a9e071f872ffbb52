import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import {
  formatCommand,
  type InterruptSignal,
  runTaskWith,
  type Task,
  TaskInterrupted,
  type Terminal,
} from "@/cli/run_task.ts";
import { type Options, parseInteger } from "@/cli/arguments.ts";

/** Creates a terminal that records its output. */
function fakeTerminal(debug = false) {
  const printed = { out: [] as string[], error: [] as string[], exits: [] as number[] };
  const listeners = new Set<(signal: InterruptSignal) => void>();
  const clock = { ms: 0 };
  const terminal: Terminal = {
    out: (line) => printed.out.push(line),
    error: (line) => printed.error.push(line),
    debug,
    onInterrupt(call) {
      listeners.add(call);
      return () => listeners.delete(call);
    },
    nowMs: () => clock.ms,
    exit: (code) => printed.exits.push(code),
  };
  const interrupt = (signal: InterruptSignal = "SIGINT") =>
    listeners.forEach((call) => call(signal));
  return { terminal, printed, listeners, clock, interrupt };
}

const OPTIONS = {
  out: { type: "string", value: "DIR", help: "where it goes" },
  set: { type: "string", multiple: true, value: "key=value", help: "one key" },
  precision: { type: "string", choices: ["float32", "half"], default: "float32", help: "digits" },
  json: { type: "boolean", help: "JSON lines" },
} as const satisfies Options;

function task(run: Task<typeof OPTIONS>["run"], more: Partial<Task<typeof OPTIONS>> = {}) {
  return {
    name: "bake",
    summary: "Bakes.",
    usage: "RUN [--json]",
    options: OPTIONS,
    positionals: { names: ["RUN", "TEXT"], min: 1, max: 2 },
    run,
    ...more,
  } satisfies Task<typeof OPTIONS>;
}

async function errorOf(...args: string[]): Promise<string> {
  const { terminal, printed } = fakeTerminal();
  strictEqual(await runTaskWith(task(() => {}), args, terminal), 1);
  strictEqual(printed.error.length, 1);
  return String(printed.error[0]);
}

Deno.test("runTaskWith() passes typed values, lists, defaults and positional arguments to run()", async () => {
  const { terminal, listeners } = fakeTerminal();
  let seen: unknown;
  const code = await runTaskWith(
    task(({ values, positionals }) => {
      seen = { ...values, positionals };
    }),
    ["a run", "--set", "a=1", "--json", "--set=b=-2", "--", "--text"],
    terminal,
  );
  strictEqual(code, 0);
  deepStrictEqual(seen, {
    out: undefined,
    set: ["a=1", "b=-2"],
    precision: "float32",
    json: true,
    debug: false,
    help: false,
    positionals: ["a run", "--text"],
  });
  strictEqual(listeners.size, 0, "the listener for Ctrl+C is removed");
});

Deno.test("runTaskWith() suggests an option for a misspelled one, or lists all", async () => {
  strictEqual(
    await errorOf("r", "--persicion", "half"),
    "error: Cannot run bake: there is no option --persicion (did you mean --precision?)",
  );
  strictEqual(
    await errorOf("r", "-json"),
    "error: Cannot run bake: there is no option -json (did you mean --json?)",
  );
  strictEqual(
    await errorOf("r", "--lr=1"),
    "error: Cannot run bake: option --lr is not one of --out, --set, --precision, --json, --debug, " +
      "--help; write -- before texts that start with a dash",
  );
  match(await errorOf("r", "--toString"), /option --toString is not one of/);
  strictEqual(
    await errorOf("r", "--precision", "hlaf"),
    "error: Cannot run bake: --precision must be one of float32, half, not hlaf (did you mean half?)",
  );
});

Deno.test("runTaskWith() suggests -- before a text that starts with a dash", async () => {
  const dashed = ["-3 in Tarnby", "-x", "--5 degrees", "-- said Ada = 3", "--- a rule", "–set"];
  for (const text of dashed.slice(0, -1)) {
    strictEqual(
      await errorOf("r", text, "--json"),
      `error: Cannot run bake: "${text}" starts with a dash and is read as an option; write -- ` +
        `before texts that start with a dash: deno task bake RUN -- "${text}"`,
    );
  }
  const { terminal } = fakeTerminal();
  let seen: readonly string[] = [];
  const keep = task(({ positionals }) => void (seen = positionals), {
    positionals: { names: ["RUN", "TEXT"], min: 1, max: 9 },
  });
  strictEqual(await runTaskWith(keep, ["r", "--json", "--", ...dashed], terminal), 0);
  deepStrictEqual(seen, ["r", ...dashed]);
});

Deno.test("runTaskWith() rejects missing values, values of boolean options and invalid choices", async () => {
  strictEqual(
    await errorOf("r", "--out", "--json"),
    "error: Cannot run bake: --out needs a value; write --out=DIR",
  );
  strictEqual(
    await errorOf("r", "--out"),
    "error: Cannot run bake: --out needs a value; write --out=DIR",
  );
  strictEqual(
    await errorOf("r", "--json=yes"),
    "error: Cannot run bake: --json takes no value, but yes was given",
  );
  strictEqual(
    await errorOf("r", "--precision", "double"),
    "error: Cannot run bake: --precision must be one of float32, half, not double",
  );
});

Deno.test("runTaskWith() checks the number of positional arguments", async () => {
  strictEqual(await errorOf(), "error: Cannot run bake: RUN is missing; see --help");
  strictEqual(
    await errorOf("a", "b", "c"),
    "error: Cannot run bake: unexpected argument c; the task takes at most 2 positional arguments",
  );
});

Deno.test("runTaskWith() prints the usage for --help without running the task", async () => {
  const { terminal, printed } = fakeTerminal();
  let ran = false;
  const code = await runTaskWith(task(() => void (ran = true)), ["--nonsense", "--help"], terminal);
  strictEqual(code, 0);
  strictEqual(ran, false);
  strictEqual(
    printed.out[0],
    `Bakes.

usage: deno task bake RUN [--json]

  --out DIR                 where it goes
  --set key=value           one key (may be repeated)
  --precision float32|half  digits (default float32)
  --json                    JSON lines
  --debug                   show the stack trace of an error (also DEBUG=1)
  --help                    show this help (also -h)`,
  );
  strictEqual(await runTaskWith(task(() => void (ran = true)), ["r", "-h"], terminal), 0);
  strictEqual(printed.out[1], printed.out[0]);
  strictEqual(ran, false);
});

Deno.test("runTaskWith() prints an error in one line, with its stack only if requested", async () => {
  const failing = task(() => {
    throw new RangeError("Cannot bake:\n  no flour");
  });
  const quiet = fakeTerminal();
  strictEqual(await runTaskWith(failing, ["r"], quiet.terminal), 1);
  deepStrictEqual(quiet.printed.error, ["error: Cannot bake: no flour"]);
  for (const loud of [fakeTerminal(true), fakeTerminal()]) {
    await runTaskWith(failing, ["r", "--debug"], loud.terminal);
    match(String(loud.printed.error[1]), /run_task_test\.ts/);
  }
});

Deno.test("runTaskWith() returns 1 for a failed outcome and for a pipe that breaks before the work is done", async () => {
  const { terminal, printed } = fakeTerminal();
  strictEqual(await runTaskWith(task(() => false), ["r"], terminal), 1);
  const broken = task(() => {
    throw new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  });
  strictEqual(await runTaskWith(broken, ["r"], terminal), 1);
  deepStrictEqual(printed.error, ["error: Broken pipe (os error 32)"]);
});

Deno.test("Ctrl+C ends a plain task at once; a task with stopsItself is aborted first and ended by a second Ctrl+C", async () => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    const plain = fakeTerminal();
    await runTaskWith(task(() => plain.interrupt(signal)), ["r"], plain.terminal);
    deepStrictEqual(plain.printed.exits, [code]);

    const polite = fakeTerminal();
    const aborted: boolean[] = [];
    const stopping = task(({ signal: abort }) => {
      polite.interrupt(signal);
      aborted.push(abort.aborted);
      polite.clock.ms = 999; // the same Ctrl+C, forwarded by `deno task`
      polite.interrupt(signal);
      deepStrictEqual(polite.printed.exits, []);
      polite.clock.ms = 1000;
      polite.interrupt(signal);
    }, { stopsItself: true });
    await runTaskWith(stopping, ["r"], polite.terminal);
    deepStrictEqual(aborted, [true]);
    deepStrictEqual(polite.printed.exits, [code]);
    deepStrictEqual(polite.printed.error, [
      "interrupted: stopping; press Ctrl+C again to stop at once",
      "interrupted again: stopped",
    ]);
  }
});

Deno.test("runTaskWith() ends an interrupted task with the signal's exit code and prints the command that continues", async () => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    const { terminal, printed, interrupt } = fakeTerminal();
    const stopping = task(({ command }) => {
      interrupt(signal);
      throw new TaskInterrupted("Baking was interrupted. To continue:", command);
    }, { stopsItself: true });
    strictEqual(await runTaskWith(stopping, ["a run", "--set", "x=[1]"], terminal), code);
    deepStrictEqual(printed.error.slice(1), [
      "error: Baking was interrupted. To continue:",
      formatCommand("bake", ["a run", "--set", "x=[1]"]), // by npx, if the tests run by it
    ]);
  }
});

Deno.test("formatCommand() quotes special characters of the shell, and starts Deno as it was started", () => {
  const args = ["--resume", "outputs/it's ü $HOME", "--set=a=1"];
  const command = "deno task train --resume 'outputs/it'\\''s ü $HOME' --set=a=1";
  strictEqual(formatCommand("train", args, false), command);
  strictEqual(
    formatCommand("train", args, true),
    command.replace("deno", `npx -y deno@${Deno.version.deno}`),
  );
});

Deno.test("parseInteger() only accepts integers of at least the minimum", () => {
  strictEqual(parseInteger("bake", "loaves", "12"), 12);
  strictEqual(parseInteger("bake", "loaves", "0"), 0);
  for (const value of ["-1", "1.5", "", "1e3", "many"]) {
    throws(() => parseInteger("bake", "loaves", value), {
      message: `Cannot run bake: --loaves must be an integer of at least 0, not ${value}`,
    });
  }
  throws(() => parseInteger("bake", "loaves", "0", 1), {
    message: "Cannot run bake: --loaves must be an integer of at least 1, not 0",
  });
});
