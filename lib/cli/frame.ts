/**
 * The frame of every task: arguments, `--help`, one-line errors, interrupts and the exit code. A task
 * file is a table of options and a few calls.
 * @module
 */

import {
  formatUsage,
  type Options,
  type OptionValues,
  parseArguments,
  type Positionals,
} from "./arguments.ts";

/** What a task's `run` is given. */
export type TaskArguments<O extends Options> = {
  readonly values: OptionValues<O>;
  readonly positionals: readonly string[];
  /** Aborted at the first Ctrl+C, where the task asked for it by `stopsItself`. */
  readonly signal: AbortSignal;
};

/** A task of the command line. */
export type Task<O extends Options> = {
  /** As in `deno task NAME`. */
  readonly name: string;
  /** One sentence on what it does. */
  readonly summary: string;
  /** Its arguments as `--help` shows them, such as `RUN [TEXT …] [--json]`. */
  readonly usage: string;
  /** Further sentences for `--help`, such as what an argument may be. */
  readonly notes?: readonly string[];
  readonly options: O;
  readonly positionals?: Positionals;
  /** The task watches `signal` and ends in good order; otherwise Ctrl+C ends it at once. */
  readonly stopsItself?: boolean;
  /** Does the work; resolves to false where the work was done and its outcome is a failure. */
  readonly run: (args: TaskArguments<O>) => Promise<boolean | void> | boolean | void;
};

/** Where a task prints and from where it is interrupted; replaced in tests. */
export type Terminal = {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
  /** Shows the stack of an error. */
  readonly debug: boolean;
  /** Calls back at each Ctrl+C; gives the way to stop listening. */
  readonly onInterrupt: (call: () => void) => () => void;
  readonly exit: (code: number) => void;
};

const COMMON = {
  debug: { type: "boolean", help: "show the stack of an error (also DEBUG=1)" },
  help: { type: "boolean", help: "show this text (also -h)" },
} as const satisfies Options;

const TERMINAL: Terminal = {
  out: (line) => console.log(line),
  error: (line) => console.error(line),
  debug: !["", "0", "false"].includes(Deno.env.get("DEBUG") ?? ""),
  onInterrupt(call) {
    Deno.addSignalListener("SIGINT", call);
    return () => Deno.removeSignalListener("SIGINT", call);
  },
  exit: (code) => Deno.exit(code),
};

/** An error's message in one line, with the cause that it names. */
export function formatError(error: unknown): string {
  if (!(error instanceof Error)) return String(error).replace(/\s*\n\s*/g, " ");
  const message = error.message === "" ? error.name : error.message;
  return message.trim().replace(/\s*\n\s*/g, " ");
}

/** Runs a task with `args` and gives its exit code; never throws. */
export async function runTaskWith<const O extends Options>(
  task: Task<O>,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const abort = new AbortController();
  const stopListening = terminal.onInterrupt(() => {
    if (!task.stopsItself || abort.signal.aborted) {
      terminal.error("interrupted");
      terminal.exit(130);
      return;
    }
    terminal.error("interrupted: ending in good order; Ctrl+C again ends at once");
    abort.abort();
  });
  let debug = terminal.debug;
  try {
    const options = { ...task.options, ...COMMON };
    if (args.includes("--debug")) debug = true;
    const end = args.indexOf("--");
    const named = end < 0 ? args : args.slice(0, end);
    if (named.includes("--help") || named.includes("-h")) {
      terminal.out(formatUsage(task, options));
      return 0;
    }
    const parsed = parseArguments(task.name, args, options, task.positionals);
    const outcome = await task.run({
      values: parsed.values as OptionValues<O>, // the common options beside them do no harm
      positionals: parsed.positionals,
      signal: abort.signal,
    });
    return outcome === false ? 1 : 0;
  } catch (error) {
    terminal.error(`error: ${formatError(error)}`);
    if (debug && error instanceof Error && error.stack) terminal.error(error.stack);
    return 1;
  } finally {
    stopListening();
  }
}

/**
 * Runs a task over the process's arguments and ends the process with its exit code. Call it at the
 * end of a task file, under `if (import.meta.main)`.
 */
export async function runTask<const O extends Options>(task: Task<O>): Promise<void> {
  silenceBanner();
  TERMINAL.exit(await runTaskWith(task, Deno.args, TERMINAL));
}

/**
 * TensorFlow.js greets with an advertisement for its own native package when its JavaScript kernels
 * are first used; it would tell our users to install what they do not need.
 */
function silenceBanner(): void {
  const warn = console.warn;
  console.warn = (...data: unknown[]) => {
    if (String(data[0]).includes("Hi, looks like you are running TensorFlow.js in Node.js")) return;
    warn(...data);
  };
}
