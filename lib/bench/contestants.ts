/**
 * Who measures: our own program and PyTorch's, each job in a process of its own, so that threads that
 * spin after their work never disturb the other.
 * @module
 */
import { fileURLToPath } from "node:url";
import { type Job, type JobOutcome, readOutcome } from "@/bench/job.ts";

/** PyTorch's variants, as `torch_bench.py` calls them. */
export const TORCH_VARIANTS = ["eager", "compiled"] as const;
/** One of {@link TORCH_VARIANTS}. */
export type TorchVariant = typeof TORCH_VARIANTS[number];

/** A program that does jobs. */
export type Contestant = {
  /** `ours`, or PyTorch's variant. */
  readonly name: string;
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
};

/** An interpreter that has PyTorch and transformers. */
export type Torch = {
  readonly python: string;
  readonly versions: { readonly torch: string; readonly transformers: string };
};

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Ours: this very Deno over `lib/cli/bench_job.ts`. */
export function ourContestant(): Contestant {
  const config = pathOf("../../deno.json"), program = pathOf("../cli/bench_job.ts");
  return {
    name: "ours",
    command: [Deno.execPath(), "run", "-A", "--config", config, program],
  };
}

/** PyTorch's by variant. */
export function torchContestant({ python }: Torch, variant: TorchVariant): Contestant {
  return { name: variant, command: [python, pathOf("torch_bench.py"), variant] };
}

const PROBE = "import json, torch, transformers\n" +
  "print(json.dumps({'torch': torch.__version__, 'transformers': transformers.__version__}))";

/**
 * The interpreter that the environment variable PYTHON names, else `python3`, where it can import
 * PyTorch; otherwise a sentence that says why not.
 */
export async function findTorch(): Promise<Torch | string> {
  const python = Deno.env.get("PYTHON") || "python3";
  try {
    const output = await runProgram([python, "-c", PROBE], "");
    return { python, versions: JSON.parse(output) as Torch["versions"] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `PyTorch is left out: ${reason}; name an interpreter that has torch and transformers in PYTHON`;
  }
}

/** Has a contestant do a job. */
export async function runContestant({ command }: Contestant, job: Job): Promise<JobOutcome> {
  return readOutcome(await runProgram(command, JSON.stringify(job)));
}

/** What a program prints when `input` is its stdin; its last words are the error where it fails. */
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
    throw new Deno.errors.NotFound(`Cannot measure as ${program} must be a program: not found`);
  }
  const ended = child.output();
  try {
    await new Blob([input]).stream().pipeTo(child.stdin);
  } catch { /* it ended without reading; its exit code says more */ }
  const { success, code, signal, stdout, stderr } = await ended;
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  const lines = decoder.decode(stderr).trimEnd().split("\n");
  const last = lines.find((line) => line.startsWith("error: ")) ?? lines.at(-1)?.trim(); // Deno's, Python's
  throw new Error(
    `Cannot measure as ${program} must end well: it ended with ${signal ?? `code ${code}`}${
      last ? ` and the words ${JSON.stringify(last.slice(0, 300))}` : ""
    }`,
  );
}
