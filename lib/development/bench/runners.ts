/**
 * The programs that run benchmark jobs: this project's and PyTorch's. Every job runs in a process of its own,
 * so that threads that spin after one job do not disturb another.
 * @module
 */
import { fileURLToPath } from "node:url";
import { type Job, type JobOutcome, readOutcome } from "./job.ts";

/** PyTorch variants, named as in `torch_bench.py`. */
export const TORCH_VARIANTS = ["eager", "compiled"] as const;
/** One of {@link TORCH_VARIANTS}. */
export type TorchVariant = typeof TORCH_VARIANTS[number];

/** A program that runs jobs. */
export type Runner = {
  /** `ours`, or the PyTorch variant. */
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
};

/** A Python interpreter with PyTorch and transformers. */
export type Torch = {
  readonly python: string;
  readonly versions: { readonly torch: string; readonly transformers: string };
};

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Runner of this project: the current Deno executable with `lib/cli/development/bench_job.ts`. */
export function ownRunner(): Runner {
  const config = pathOf("../../../deno.json"),
    program = pathOf("../../cli/development/bench_job.ts");
  return {
    name: "ours",
    command: [Deno.execPath(), "run", "-A", "--config", config, program],
  };
}

/** Runner of a PyTorch variant. */
export function torchRunner({ python }: Torch, variant: TorchVariant): Runner {
  return { name: variant, command: [python, pathOf("torch_bench.py"), variant] };
}

const PROBE = "import json, torch, transformers\n" +
  "print(json.dumps({'torch': torch.__version__, 'transformers': transformers.__version__}))";

/**
 * Finds a Python interpreter that can import PyTorch: the one named by the environment variable PYTHON, else
 * `python3`. Returns a sentence with the reason if that fails.
 */
export async function findTorch(): Promise<Torch | string> {
  const python = Deno.env.get("PYTHON") || "python3";
  try {
    const output = await runProgram([python, "-c", PROBE], "");
    return { python, versions: JSON.parse(output) as Torch["versions"] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `PyTorch is skipped: ${reason}; set PYTHON to an interpreter with torch and transformers`;
  }
}

/** Runs a job in a new process. */
export async function runJobInProcess({ command }: Runner, job: Job): Promise<JobOutcome> {
  return readOutcome(await runProgram(command, JSON.stringify(job)));
}

/** Runs a program with `input` as stdin and returns its stdout. If it fails, throws its last error line. */
async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  input: string,
): Promise<string> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot measure: no program ${program}`);
  }
  const ended = child.output();
  try {
    await new Blob([input]).stream().pipeTo(child.stdin);
  } catch { /* the process exited without reading stdin; its exit code is reported below */ }
  const { success, code, signal, stdout, stderr } = await ended;
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  const lines = decoder.decode(stderr).trimEnd().split("\n");
  const last = lines.find((line) => line.startsWith("error: ")) ?? lines.at(-1)?.trim(); // format of Deno, else of Python
  throw new Error(
    `Cannot measure: ${program} exited with ${signal ?? `code ${code}`}${
      last ? ` and the error ${JSON.stringify(last.slice(0, 300))}` : ""
    }`,
  );
}
