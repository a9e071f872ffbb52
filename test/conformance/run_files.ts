/**
 * Runs test files of TensorFlow.js against a backend and prints one JSON line a spec. Started by
 * `conformance.ts` in a process of its own: `run_files.ts BACKEND FILE …`.
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import process from "node:process";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { installJasmine, runSpecs } from "./jasmine.ts";
import { COMPILED_KERNELS } from "@/engine/kernels/register.ts";
import { findCore, stageTests } from "./stage.ts";
import { isExcluded } from "./exclusions.ts";

/** One spec: which kernels it ran that are compiled, and which that are not. */
export type SpecRecord = {
  readonly file: string;
  readonly name: string;
  readonly compiled: readonly string[];
  readonly fallback: readonly string[];
  readonly failures: readonly string[];
};

/** Names of kernels that have run since it was last cleared. */
const kernels = new Set<string>();

/** Has every kernel of a backend note that it ran. */
function noteKernels(backendName: string): void {
  for (const { kernelName, kernelFunc, ...rest } of tf.getKernelsForBackend(backendName)) {
    tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel({
      ...rest,
      kernelName,
      backendName,
      kernelFunc: (call) => {
        kernels.add(kernelName);
        return kernelFunc(call);
      },
    });
  }
}

async function main([backend = "recorded", ...files]: string[]): Promise<void> {
  const { log } = console;
  console.log = console.warn = () => {}; // tests and deprecated calls talk
  const dist = findCore();
  const stage = Deno.makeTempDirSync({ prefix: "conformance-" });
  globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());
  try {
    stageTests(dist, [...files, "jasmine_util.js"], stage);
    Object.assign(globalThis, { require: createRequire(import.meta.url) });
    installJasmine();
    await openEngine({ threads: 1 });
    noteKernels(backend);
    const url = (file: string) => pathToFileURL(join(stage, file)).href;
    const { setTestEnvs } = await import(url("jasmine_util.js"));
    setTestEnvs([{ name: backend, backendName: backend, isDataSync: true }]);
    for (const file of files) {
      await import(url(file));
      await runSpecs({
        wants: (name) => !isExcluded(file, name),
        started: () => kernels.clear(),
        ended: ({ name, failures }) => {
          const [compiled, fallback] = [true, false].map((wanted) =>
            [...kernels].filter((kernel) => COMPILED_KERNELS.has(kernel) === wanted)
          );
          log(JSON.stringify({ file, name, compiled, fallback, failures }));
        },
      });
    }
  } finally {
    Deno.removeSync(stage, { recursive: true });
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
  process.exit(0); // timers that tests left behind
}
