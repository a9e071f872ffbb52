/**
 * `deno task tensorflow`: sets up the device `tensorflow` and tests it.
 * @module
 */
import {
  describeLibrarySystem,
  installCommand,
  type LibrarySystem,
} from "@/engine/tensorflow/find_library.ts";
import { type OpenedTensorflow, openTensorflow } from "@/engine/tensorflow/open_device.ts";
import { SIDE, type Trial, tryPrecisions } from "@/engine/tensorflow/try_device.ts";
import { formatThreads } from "@/system/machine.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./run_task.ts";

const OPTIONS = {
  library: {
    type: "string",
    value: "DIR",
    byDefault: "TF_LIB, else the usual folders",
    help: "folder of the TensorFlow library (tensorflow.library)",
  },
} as const satisfies Options;

/** Formats the library, the binding and the test results as lines. */
export function formatDevice(
  { library, binding, version, processor, threads }: OpenedTensorflow,
  trials: readonly Trial[],
  system: LibrarySystem,
): string[] {
  const { builtBy } = binding;
  const rows: readonly (readonly [string, string])[] = [
    ["library", `${library.api}, TensorFlow ${version}, found by ${library.source}`],
    ["binding", `${binding.path}, ${builtBy === null ? "built before" : `built by ${builtBy}`}`],
    ["processor", `${processor}, ${formatThreads(threads)}`],
    ...trials.map(({ precision, refusal, error, gflops }) =>
      [
        precision,
        refusal ?? `error ${error.toExponential(0)}, ${gflops.toFixed(0)} GFLOP/s at ` +
            `${SIDE} × ${SIDE}`,
      ] as const
    ),
  ];
  return [
    ...rows.map(([name, text]) => `${name.padEnd(14)}  ${text}`),
    ...(system.hasNvidiaGpu && processor === "CPU"
      ? [
        "The NVIDIA GPU is not used: the library has no CUDA support or does not find the CUDA libraries; " +
        `\`${installCommand(system)}\` installs both.`,
      ]
      : []),
    "Ready: --set device=tensorflow",
  ];
}

/** The task `tensorflow`. */
export const TENSORFLOW = {
  name: "tensorflow",
  summary: "Finds the TensorFlow library, builds the binding to it and tests both.",
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
    for (const line of formatDevice(opened, trials, describeLibrarySystem())) console.log(line);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(TENSORFLOW);
