/**
 * `deno task bench`: speed and memory, PyTorch beside them where it is installed.
 * @module
 */
import { BENCHMARKS, type BenchName } from "@/bench/benchmarks.ts";
import { findTorch, type Torch } from "@/bench/runners.ts";
import { formatText } from "@/bench/format_results.ts";
import type { Computation } from "@/bench/job.ts";
import { type BenchOptions, createBenchInputs, resolveBenchConfig } from "@/bench/bench_inputs.ts";
import { runBenchmarks } from "@/bench/run_benchmarks.ts";
import type { BenchResult } from "@/bench/statistics.ts";
import type { RunConfig } from "@/config.ts";
import { describeMachine } from "@/machine.ts";
import { writeResults } from "@/bench/write_results.ts";
import { describeUnknown } from "@/suggest.ts";
import { type Options, parseWhole } from "./arguments.ts";
import { runTask, type Task } from "./frame.ts";
import { createTerminalProgress } from "./progress.ts";

/** Threads of each program where native.threads is not set. */
const THREADS = 2;

const OPTIONS = {
  set: { type: "string", value: "KEY=VALUE", multiple: true, help: "one key of a configuration" },
  model: {
    type: "string",
    value: "DIR",
    byDefault: "a randomly initialized one",
    help: "model of encode and epoch",
  },
  data: {
    type: "string",
    value: "DIR",
    byDefault: "the built-in sample",
    help: "data of encode and epoch",
  },
  texts: {
    type: "string",
    value: "FILE",
    byDefault: "test rows",
    help: "texts of encode, one on each line",
  },
  rounds: {
    type: "string",
    value: "N",
    byDefault: "by benchmark",
    help: "processes of each program, interleaved",
  },
  steps: {
    type: "string",
    value: "N",
    byDefault: "by benchmark",
    help: "measured steps, passes or runs of each process",
  },
  variant: {
    type: "string",
    value: "KEY=VALUE,…",
    multiple: true,
    help:
      "measure another configuration of ours in the same rounds, such as executor=onnx,native.isa=avx2",
  },
  profile: { type: "boolean", help: "show where the time of native training steps goes" },
  out: { type: "string", value: "FILE", help: "also write FILE.md and FILE.json" },
  json: { type: "boolean", help: "print a JSON object a line" },
} as const satisfies Options;

/** The benchmarks that were asked for, each once; all where none was. */
function selectNames(asked: readonly string[]): readonly BenchName[] {
  const known = Object.keys(BENCHMARKS) as BenchName[];
  const odd = asked.find((name) => !known.some((each) => each === name));
  if (odd !== undefined) {
    throw new RangeError(
      `Cannot run bench: ${describeUnknown(odd, { what: "benchmark", known })}`,
    );
  }
  return asked.length === 0 ? known : known.filter((name) => asked.includes(name));
}

/** A whole number from 1, or null where the option is not given. */
function readCount(option: "rounds" | "steps", value: string | undefined): number | null {
  return value === undefined ? null : parseWhole("bench", option, value, 1);
}

/** What computes as a configuration says. */
function computationOf(
  { device, executor, native: { isa, threads }, tensorflow: { library } }: RunConfig,
): Omit<Computation, "precision"> {
  return { device, executor, isa, library, threads: threads ?? THREADS };
}

/** Keys that say how numbers are computed, but for the precision: all that a variant may set. */
const VARIANT_KEYS = ["device", "executor", "native.isa", "native.threads", "tensorflow.library"];

/** What a `--variant` computes with. */
function readVariant(name: string, values: BenchOptions) {
  const set = name.split(",");
  const odd = set.find((each) => !VARIANT_KEYS.some((key) => each.startsWith(`${key}=`)));
  if (odd !== undefined) {
    throw new RangeError(
      `Cannot run bench as --variant must set ${VARIANT_KEYS.join(", ")}: current value is ${odd}`,
    );
  }
  const config = resolveBenchConfig({ ...values, set: [...values.set, ...set] });
  return { name, computation: computationOf(config) };
}

/** The interpreter of PyTorch, or null after saying why there is none. */
async function openTorch(): Promise<Torch | null> {
  const found = await findTorch();
  if (typeof found !== "string") return found;
  console.error(found);
  return null;
}

/** The task `bench`. */
export const BENCH = {
  name: "bench",
  summary: `Measures speed and memory, beside PyTorch where it is installed.\n\n${
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
    const asked = values.set.some((each) => each.startsWith("precision="));
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
        precision: asked ? config.precision : null,
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
