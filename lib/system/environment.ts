/**
 * The environment of a run, the content of `environment.json`: machine, software, start time and command.
 * @module
 */
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { describeMachine } from "./machine.ts";

/** The executor of a run, as reported by the engine. */
export type UsedExecutor = {
  readonly name: string;
  readonly version: string;
  readonly threads: number;
};

/** Packages that affect a run's numbers, with the executors that use them; null: all executors. */
const COMPUTING_PACKAGES: Readonly<Record<string, readonly string[] | null>> = {
  "@huggingface/tokenizers": null,
  "@tensorflow/tfjs": null,
  "@tensorflow/tfjs-node-gpu": ["eager"],
  "nodejs-polars": null,
  "onnxruntime-node": ["onnx", "native"], // with native: for operations outside compiled programs
};

/** Entries of `versions` that belong to the runtime instead of a package. */
const RUNTIME = ["deno", "v8", "typescript"];

/** Entries of `versions` that are relevant to a run on `executor`: the runtime and the packages that computed it. */
export function pickVersions<T>(
  versions: Readonly<Record<string, T>>,
  executor: unknown,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(versions).filter(([name]) => {
      const users = COMPUTING_PACKAGES[name];
      return RUNTIME.includes(name) || users === null ||
        users?.some((each) => each === executor) === true;
    }),
  );
}

/** Exact versions of the packages that the project imports. */
function packageVersions(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const specifier of Object.values(project.imports)) {
    const parts = /^npm:(.+)@([^@]+)$/.exec(specifier);
    if (parts?.[1] !== undefined && parts[2] !== undefined) found[parts[1]] = parts[2];
  }
  return found;
}

/** Describes the machine and the software of this process. */
export function describeEnvironment(
  device: string,
  executor: UsedExecutor,
): Readonly<Record<string, unknown>> {
  const { cpu, cores, memoryGiB, flags } = describeMachine();
  return {
    device,
    executor: executor.name,
    executorVersion: executor.version,
    threads: executor.threads,
    cpu: { model: cpu, cores, memoryGiB, flags },
    system: `${Deno.build.os} ${Deno.build.arch}`,
    versions: pickVersions({ ...Deno.version, ...packageVersions() }, executor.name),
  };
}

/** Start time, code version and command of a run; null if unknown. */
export type RunStart = {
  /** Date and time in ISO 8601, to the second. */
  readonly started: string;
  /** Short hash of the code's commit, followed by "with uncommitted changes" if there are any. */
  readonly commit: string | null;
  /** The command line, with paths relative to the working folder. */
  readonly command: string | null;
};

/** The process that starts a run; defaults describe this process. */
export type Starter = {
  /** Milliseconds since 1970. */
  readonly nowMs?: number;
  /** Root of the project's code. */
  readonly root?: string | null;
} & CommandLine;

/** A command line and its working folder. */
export type CommandLine = {
  /** URL of the module that the process runs. */
  readonly mainModule?: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
};

/** Environment variable with the user's command, for processes that another process starts. */
export const COMMAND_VARIABLE = "STX_COMMAND";

const ROOT = import.meta.url.startsWith("file:")
  ? fileURLToPath(new URL("../..", import.meta.url))
  : null;

/** Describes the start of a run. */
export async function describeStart(starter: Starter = {}): Promise<RunStart> {
  const { nowMs = performance.timeOrigin + performance.now(), root = ROOT } = starter;
  return {
    started: new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z"),
    commit: root === null ? null : await readCommit(root),
    command: Deno.env.get(COMMAND_VARIABLE) || describeCommand(starter),
  };
}

/** The command line of a process, without paths that reveal the machine; null for a notebook's kernel. */
export function describeCommand(
  { mainModule = Deno.mainModule, args = Deno.args, cwd = Deno.cwd() }: CommandLine = {},
): string | null {
  if (/\/\$deno\$[^/]*$/.test(mainModule)) return null;
  const path = mainModule.startsWith("file:") ? fileURLToPath(mainModule) : mainModule;
  const [, task] = ROOT === null || dirname(path) !== join(ROOT, "lib", "cli")
    ? []
    : /^(\w+)\.ts$/.exec(basename(path)) ?? [];
  const start = task === undefined ? ["deno", "run", hidePaths(path, cwd)] : ["deno", "task", task];
  return [...start, ...args.map((arg) => hidePaths(arg, cwd))].map(quote).join(" ");
}

/** An argument with absolute paths made relative to `cwd`; of distant paths only the last component remains. */
function hidePaths(arg: string, cwd: string): string {
  return arg.replace(
    /(?<=^|[\s="'(,[])(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^"',)\]}]*/g,
    (found) => {
      const path = found.replace(/^file:\/\//, "");
      const near = relative(cwd, path);
      const [first, second] = near.split(sep);
      if (near === "") return ".";
      if (first !== "..") return near;
      const isNeighbor = second !== ".." && second !== undefined && dirname(cwd) !== dirname("/");
      return isNeighbor ? near : `…/${basename(path)}`;
    },
  );
}

/** Quotes an argument for a shell. */
function quote(arg: string): string {
  return /^[\w@%+=:,./…-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}

/** The commit of the code in `root`; null without git or a repository. */
async function readCommit(root: string): Promise<string | null> {
  const git = async (...args: readonly string[]) => {
    try {
      const { success, stdout } = await new Deno.Command("git", {
        args: ["--no-optional-locks", "-C", root, ...args],
        stdin: "null",
        stderr: "null",
      }).output();
      return success ? new TextDecoder().decode(stdout) : null;
    } catch (error) {
      const isMissing = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotCapable;
      if (isMissing) return null;
      throw error;
    }
  };
  const code = ["lib", "data", "deno.json", "deno.lock"];
  // In an unpacked copy of the code inside another repository, the code is not tracked.
  const [tracked, status] = await Promise.all([
    git("ls-files", "--error-unmatch", "deno.json"),
    git("status", "--porcelain=v2", "--branch", "--", ...code),
  ]);
  const hash = /^# branch\.oid ([0-9a-f]{7})/m.exec(status ?? "")?.[1];
  if (tracked === null || status === null || hash === undefined) return null;
  return /^[^#\n]/m.test(status) ? `${hash} with uncommitted changes` : hash;
}
