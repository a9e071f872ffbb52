/**
 * Common frame of all tasks: arguments, `--help`, one-line errors, interrupts and exit codes. A task's own file only
 * contains a table of options and a few calls.
 * @module
 */

import { describeSystem, type System } from "@/engine/system.ts";
import {
  formatUsage,
  type Options,
  type OptionValues,
  parseArguments,
  type Positionals,
} from "./arguments.ts";
import { inspectFromEnvironment } from "@/inspect/inspect_into.ts";
import { printLine } from "./terminal_progress.ts";

/** Arguments of a task's `run` function. */
type TaskArguments<O extends Options> = {
  readonly values: OptionValues<O>;
  readonly positionals: readonly string[];
  /** Aborted at the first Ctrl+C, SIGTERM or SIGHUP if the task sets `stopsItself`. */
  readonly signal: AbortSignal;
  /** Command line that runs the task again with the same arguments. */
  readonly command: string;
};

/** Thrown when a task is interrupted, with the command line that continues its work. */
export class TaskInterrupted extends Deno.errors.Interrupted {
  constructor(message: string, readonly command: string) {
    super(message);
  }
}

/** Command-line task. */
export type Task<O extends Options> = {
  /** Name as in `deno task NAME`. */
  readonly name: string;
  /** Description in one sentence. */
  readonly summary: string;
  /** Arguments as shown by `--help`, such as `RUN [TEXT …] [--json]`. */
  readonly usage: string;
  /** Further paragraphs for `--help`, such as the possible values of an argument. */
  readonly notes?: readonly string[];
  readonly options: O;
  readonly positionals?: Positionals;
  /** True if the task watches `signal` and stops gracefully; otherwise the first signal ends the process at once. */
  readonly stopsItself?: boolean;
  /** Does the work. Resolves to false if the work was completed but its outcome is a failure. */
  readonly run: (args: TaskArguments<O>) => Promise<boolean | void> | boolean | void;
};

/** Output, signals, clock and exit of the process; replaced in tests. */
export type Terminal = {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
  /** True if the stack of an error is printed. */
  readonly debug: boolean;
  /** Calls back at each signal of {@link EXIT_CODES}; returns a function that stops listening. */
  readonly onInterrupt: (call: (signal: InterruptSignal) => void) => () => void;
  readonly nowMs: () => number;
  readonly exit: (code: number) => void;
};

/** Signals that ask a task to end, with the exit code for each: 128 plus the signal number. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const satisfies Readonly<
  Record<System["interruptSignals"][number], number>
>;
/** One of {@link EXIT_CODES}. */
export type InterruptSignal = keyof typeof EXIT_CODES;

/**
 * Signals within this time count as one: a terminal sends Ctrl+C to every process of its foreground group, and `npx`
 * and `deno task` also forward it to their child process.
 */
const SAME_SIGNAL_MS = 1000;

const COMMON = {
  debug: { type: "boolean", help: "show the stack trace of an error (also DEBUG=1)" },
  help: { type: "boolean", help: "show this help (also -h)" },
} as const satisfies Options;

const TERMINAL: Terminal = {
  out: (line) => console.log(line),
  error: printLine, // does not fail if the terminal is closed
  debug: !["", "0", "false"].includes(Deno.env.get("DEBUG") ?? ""),
  onInterrupt(call) {
    const hangupIgnored = isHangupIgnored();
    const listeners = describeSystem().interruptSignals.map((signal) => {
      const listener = () => {
        if (signal === "SIGHUP" && hangupIgnored) return;
        if (Deno.stderr.isTerminal()) printLine(""); // ends the progress line
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

/**
 * True if SIGHUP is ignored because the process was started by `nohup`; always false outside Linux. Call it before the
 * first signal listener is added, since that makes Deno handle SIGHUP again.
 */
function isHangupIgnored(): boolean {
  if (Deno.build.os !== "linux") return false;
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
  return ignored !== undefined && BigInt(`0x${ignored}`) % 2n === 1n; // SIGHUP is signal 1
}

/** Formats the command line of task `name` with `args` for a POSIX shell, starting Deno by npx if npx started this process. */
export function formatCommand(
  name: string,
  args: readonly string[],
  underNpx = Deno.env.get("npm_command") === "exec",
): string {
  const deno = underNpx ? `npx -y deno@${Deno.version.deno}` : "deno";
  const words = args.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
  );
  return [deno, "task", name, ...words].join(" ");
}

/** Formats the message of an error in one line. */
function formatError(error: unknown): string {
  if (!(error instanceof Error)) return String(error).replace(/\s*\n\s*/g, " ");
  const message = error.message === "" ? error.name : error.message;
  return message.trim().replace(/\s*\n\s*/g, " ");
}

/** Runs a task with `args` and returns its exit code; never throws. */
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
      terminal.error("interrupted: stopping; press Ctrl+C again to stop at once");
      exitCode = EXIT_CODES[signal];
      firstMs = terminal.nowMs();
      abort.abort();
    } else if (terminal.nowMs() - firstMs >= SAME_SIGNAL_MS) {
      terminal.error("interrupted again: stopped");
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
    await inspectFromEnvironment();
    const outcome = await task.run({
      values: parsed.values as OptionValues<O>, // also contains the common options, which the task ignores
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
 * Runs a task with the arguments of the process and exits with its exit code. Call it at the end of a task's file,
 * under `if (import.meta.main)`.
 */
export async function runTask<const O extends Options>(task: Task<O>): Promise<void> {
  silenceBanner();
  TERMINAL.exit(await runTaskWith(task, Deno.args, TERMINAL));
}

/**
 * Suppresses the banner of TensorFlow.js, printed at the first use of its JavaScript kernels. It advertises a native
 * package that is not needed here.
 */
function silenceBanner(): void {
  const warn = console.warn;
  console.warn = (...data: unknown[]) => {
    if (String(data[0]).includes("Hi, looks like you are running TensorFlow.js in Node.js")) return;
    warn(...data);
  };
}
