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
  /** Aborted at the first Ctrl+C or SIGTERM, where the task asked for it by `stopsItself`. */
  readonly signal: AbortSignal;
  /** The command line that runs the task again with the same arguments. */
  readonly command: string;
};

/** Work of a task that was interrupted, with the command line that goes on with it. */
export class TaskInterrupted extends Deno.errors.Interrupted {
  constructor(message: string, readonly command: string) {
    super(message);
  }
}

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
  /** The task watches `signal` and ends in good order; otherwise the first signal ends it at once. */
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
  /** Calls back at each signal of {@link EXIT_CODES}; gives the way to stop listening. */
  readonly onInterrupt: (call: (signal: InterruptSignal) => void) => () => void;
  readonly nowMs: () => number;
  readonly exit: (code: number) => void;
};

/** Signals that ask a task to end, with the exit code of a task that they ended: 128 and their number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
/** One of {@link EXIT_CODES}. */
export type InterruptSignal = keyof typeof EXIT_CODES;

/**
 * Signals that arrive within this time count as one: the terminal sends Ctrl+C to every process of its
 * foreground group, and `npx` and `deno task` forward it to their child as well.
 */
const SAME_SIGNAL_MS = 1000;

const COMMON = {
  debug: { type: "boolean", help: "show the stack of an error (also DEBUG=1)" },
  help: { type: "boolean", help: "show this text (also -h)" },
} as const satisfies Options;

const TERMINAL: Terminal = {
  out: (line) => console.log(line),
  error: (line) => console.error(line),
  debug: !["", "0", "false"].includes(Deno.env.get("DEBUG") ?? ""),
  onInterrupt(call) {
    const listeners = listInterruptSignals(Deno.build.os).map((signal) => {
      const listener = () => {
        if (Deno.stderr.isTerminal()) console.error(); // the progress line ends there
        call(signal);
      };
      Deno.addSignalListener(signal, listener);
      return [signal, listener] as const;
    });
    return () => listeners.forEach((each) => Deno.removeSignalListener(...each));
  },
  nowMs: () => performance.now(),
  exit: (code) => Deno.exit(code),
};

/** Signals of {@link EXIT_CODES} that the system has: Windows has no SIGTERM. */
export function listInterruptSignals(os: typeof Deno.build.os): readonly InterruptSignal[] {
  return os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
}

/** A command line of the task `name` with `args`, as a POSIX shell reads it. */
export function formatCommand(name: string, args: readonly string[]): string {
  const deno = Deno.env.get("npm_command") === "exec" ? `npx -y deno@${Deno.version.deno}` : "deno";
  const words = args.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
  );
  return [deno, "task", name, ...words].join(" ");
}

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
  let exitCode = 1, firstMs = 0;
  const stopListening = terminal.onInterrupt((signal) => {
    if (!task.stopsItself) {
      terminal.error("interrupted");
      terminal.exit(EXIT_CODES[signal]);
    } else if (!abort.signal.aborted) {
      terminal.error("interrupted: ending in good order; Ctrl+C again ends at once");
      exitCode = EXIT_CODES[signal];
      firstMs = terminal.nowMs();
      abort.abort();
    } else if (terminal.nowMs() - firstMs >= SAME_SIGNAL_MS) {
      terminal.error("interrupted again: ended at once");
      terminal.exit(EXIT_CODES[signal]);
    }
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
      command: formatCommand(task.name, args),
    });
    return outcome === false ? 1 : 0;
  } catch (error) {
    terminal.error(`error: ${formatError(error)}`);
    if (error instanceof TaskInterrupted) terminal.error(error.command);
    if (debug && error instanceof Error && error.stack) terminal.error(error.stack);
    return error instanceof Deno.errors.Interrupted ? exitCode : 1;
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
