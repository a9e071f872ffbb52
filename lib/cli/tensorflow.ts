/**
 * `deno task tensorflow`: gets device `tensorflow` ready and says what it can do.
 * @module
 */
import {
  describeSystem,
  installCommand,
  type System,
} from "@/engine/tensorflow/explain_missing.ts";
import { type OpenedTensorflow, openTensorflow } from "@/engine/tensorflow/open_device.ts";
import { SIDE, type Trial, tryPrecisions } from "@/engine/tensorflow/try_device.ts";
import { formatThreads } from "@/machine.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./frame.ts";

const OPTIONS = {
  library: {
    type: "string",
    value: "DIR",
    byDefault: "TF_LIB, else searched for",
    help: "folder of the library (tensorflow.library)",
  },
} as const satisfies Options;

/** What was found and built, a line each. */
export function formatDevice(
  { library, binding, version, processor, threads }: OpenedTensorflow,
  trials: readonly Trial[],
  system: System,
): string[] {
  const { builtBy } = binding;
  const rows: readonly (readonly [string, string])[] = [
    ["library", `${library.api}, TensorFlow ${version}, found by ${library.source}`],
    ["binding", `${binding.path}, ${builtBy === null ? "built before" : `built by ${builtBy}`}`],
    ["processor", `${processor}, ${formatThreads(threads)}`],
    ...trials.map(({ precision, refusal, error, gflops }) =>
      [
        precision,
        refusal ?? `right to ${error.toExponential(0)}, ${gflops.toFixed(0)} GFLOP/s at ` +
            `${SIDE} × ${SIDE}`,
      ] as const
    ),
  ];
  return [
    ...rows.map(([name, text]) => `${name.padEnd(14)}  ${text}`),
    ...(system.hasNvidiaGpu && processor === "CPU"
      ? [
        "The NVIDIA GPU is not used: this library has no CUDA, or does not find its parts; " +
        `\`${installCommand(system)}\` installs both.`,
      ]
      : []),
    "Ready: --set device=tensorflow",
  ];
}

/** The task `tensorflow`. */
export const TENSORFLOW = {
  name: "tensorflow",
  summary: "Finds TensorFlow's library, builds the binding to it and tries both.",
  usage: "[--library DIR]",
  options: OPTIONS,
  async run({ values: { library = null } }) {
    const options = {
      library,
      threads: navigator.hardwareConcurrency,
      onNote: (note: string) => console.error(note),
    };
    const opened = await openTensorflow({ ...options, precision: "float32" });
    const trials = await tryPrecisions(options, () => performance.now());
    for (const line of formatDevice(opened, trials, describeSystem())) console.log(line);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(TENSORFLOW);
