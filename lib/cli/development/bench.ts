/**
 * `deno task bench`: measures speed and memory, also of PyTorch if it is installed.
 * @module
 */
import { BENCHMARKS, type BenchName } from "@/development/bench/benchmarks.ts";
import { findTorch, type Torch } from "@/development/bench/runners.ts";
import { formatText } from "@/development/bench/format_results.ts";
import type { Computation } from "@/development/bench/job.ts";
import {
  type BenchOptions,
  createBenchInputs,
  resolveBenchConfig,
} from "@/development/bench/bench_inputs.ts";
import { runBenchmarks } from "@/development/bench/run_benchmarks.ts";
import type { BenchResult } from "@/development/bench/summarize.ts";
import type { RunConfig } from "@/config/config.ts";
import { describeMachine } from "@/system/machine.ts";
import { writeResults } from "@/development/bench/write_results.ts";
import { describeUnknown } from "@/suggest.ts";
import { type Options, parseInteger } from "../arguments.ts";
import { runTask, type Task } from "../run_task.ts";
import { createTerminalProgress } from "../terminal_progress.ts";

/** Threads per program if native.threads is not set. */
const THREADS = 2;

const OPTIONS = {
  set: { type: "string", value: "KEY=VALUE", multiple: true, help: "sets one configuration key" },
  model: {
    type: "string",
    value: "DIR",
    byDefault: "a randomly initialized one",
    help: "model for the benchmarks encode and epoch",
  },
  data: {
    type: "string",
    value: "DIR",
    byDefault: "the built-in sample",
    help: "folder of the data sets for encode and epoch",
  },
  texts: {
    type: "string",
    value: "FILE",
    byDefault: "test rows",
    help: "texts for encode, one per line",
  },
  rounds: {
    type: "string",
    value: "N",
    byDefault: "by benchmark",
    help: "processes per program, interleaved",
  },
  steps: {
    type: "string",
    value: "N",
    byDefault: "by benchmark",
    help: "measured steps, passes or runs per process",
  },
  variant: {
    type: "string",
    value: "KEY=VALUE,…",
    multiple: true,
    help:
      "also measure this configuration in the same rounds, such as executor=onnx,native.isa=avx2",
  },
  profile: { type: "boolean", help: "profile native training steps" },
  out: { type: "string", value: "FILE", help: "also write FILE.md and FILE.json" },
  json: { type: "boolean", help: "print one JSON object per line" },
} as const satisfies Options;

/** Returns the requested benchmarks without duplicates, or all if none is requested. */
function selectNames(requested: readonly string[]): readonly BenchName[] {
  const known = Object.keys(BENCHMARKS) as BenchName[];
  const invalid = requested.find((name) => !known.some((each) => each === name));
  if (invalid !== undefined) {
    throw new RangeError(
      `Cannot run bench: ${describeUnknown(invalid, { what: "benchmark", known })}`,
    );
  }
  return requested.length === 0 ? known : known.filter((name) => requested.includes(name));
}

/** Parses a positive integer; null if the option is omitted. */
function readCount(option: "rounds" | "steps", value: string | undefined): number | null {
  return value === undefined ? null : parseInteger("bench", option, value, 1);
}

/** Device, executor and threads of a configuration. */
function computationOf(
  { device, executor, native: { isa, threads }, tensorflow: { library } }: RunConfig,
): Omit<Computation, "precision"> {
  return { device, executor, isa, library, threads: threads ?? THREADS };
}

/** Keys that a variant may set: device, executor and threads, but not the precision. */
const VARIANT_KEYS = ["device", "executor", "native.isa", "native.threads", "tensorflow.library"];

/** Reads the configuration of a `--variant`. */
function readVariant(name: string, values: BenchOptions) {
  const set = name.split(",");
  const invalid = set.find((each) => !VARIANT_KEYS.some((key) => each.startsWith(`${key}=`)));
  if (invalid !== undefined) {
    throw new RangeError(
      `Cannot run bench: --variant can only set ${VARIANT_KEYS.join(", ")}, not ${invalid}`,
    );
  }
  const config = resolveBenchConfig({ ...values, set: [...values.set, ...set] });
  return { name, computation: computationOf(config) };
}

/** Finds PyTorch; if there is none, prints the reason and returns null. */
async function openTorch(): Promise<Torch | null> {
  const found = await findTorch();
  if (typeof found !== "string") return found;
  console.error(found);
  return null;
}

/** The task `bench`. */
export const BENCH = {
  name: "bench",
  summary: `Measures speed and memory, also of PyTorch if it is installed.\n\n${
    Object.entries(BENCHMARKS).map(([name, what]) => `  ${name.padEnd(10)} ${what}`).join("\n")
  }`,
  usage:
    "[NAME …] [--set KEY=VALUE …] [--model DIR] [--data DIR] [--texts FILE] [--rounds N] [--steps N] " +
    "[--variant KEY=VALUE,…] [--profile] [--out FILE] [--json]",
  options: OPTIONS,
  positionals: { names: ["NAME"], min: 0, max: Infinity },
  async run({ values, positionals }) {
    const names = selectNames(positionals);
    const effort = {
      rounds: readCount("rounds", values.rounds),
      steps: readCount("steps", values.steps),
      profile: values.profile,
    };
    const config = resolveBenchConfig(values);
    const computation = computationOf(config);
    const variants = values.variant.map((name) => readVariant(name, values));
    const requested = values.set.some((each) => each.startsWith("precision="));
    const torch = await openTorch();
    const folder = await Deno.makeTempDir({ prefix: "bench-" });
    const view = createTerminalProgress({ logMs: 0 });
    let results: readonly BenchResult[];
    try {
      results = await runBenchmarks({
        names,
        effort,
        inputs: createBenchInputs(config, { texts: values.texts ?? null, folder }),
        computation,
        variants,
        precision: requested ? config.precision : null,
        torch,
        view,
        onNote: (note) => console.error(note),
        onResult: (result) => values.json && console.log(JSON.stringify(result)),
      });
    } finally {
      await view.finish();
      await Deno.remove(folder, { recursive: true });
    }
    const context = {
      machine: describeMachine(),
      versions: { deno: Deno.version.deno, ...torch?.versions },
      threads: computation.threads,
      command: ["deno task bench", ...Deno.args].join(" "),
    };
    if (!values.json) console.log(formatText(results, context));
    if (values.out !== undefined) await writeResults(values.out, results, context);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(BENCH);
