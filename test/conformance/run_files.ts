/**
 * Runs test files of TensorFlow.js against the engine and prints one JSON line for each spec. `start_files.ts`
 * starts it in a process of its own: `run_files.ts EXECUTOR FILE …`.
 * @module
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { BACKEND, RecordingBackend } from "@/engine/backend.ts";
import { openEngine } from "@/engine/engine.ts";
import { createNativeExecutor } from "@/engine/native/native_executor.ts";
import { UnsupportedError } from "@/engine/errors.ts";
import { createOnnxExecutor } from "@/engine/onnx/onnx_executor.ts";
import { FALLBACKS_SEEN } from "@/engine/kernels/host.ts";
import { findExclusion } from "./exclusions.ts";
import { installJasmine, runSpecs } from "./jasmine.ts";
import type { SpecRecord } from "./records.ts";
import { findCore, stageTests } from "./stage.ts";
import { MISSED } from "./start_files.ts";

/** Names of kernels that have run since the set was last cleared. */
const kernels = new Set<string>();

/** Makes every kernel of a backend record that it ran. */
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

/** Reasons why graphs could not be compiled to C, since the set was last cleared. */
const missed = new Set<string>();

/** Computes everything that a test reads by the native executor, or by ONNX Runtime if C lacks an operation. */
async function computeNatively(): Promise<void> {
  const fallback = createOnnxExecutor(1);
  const native = await createNativeExecutor({ threads: 2, isa: null, fallback });
  tf.removeBackend(BACKEND);
  tf.registerBackend(BACKEND, () =>
    new RecordingBackend({
      ...native,
      compile(graph) {
        try {
          return native.compileSync(graph);
        } catch (error) {
          if (!(error instanceof UnsupportedError)) throw error;
          missed.add(`${MISSED}${error.message}`);
          return fallback.compile(graph);
        }
      },
    }));
  await tf.setBackend(BACKEND);
}

async function runFiles(
  executor: "onnx" | "native",
  files: readonly string[],
  tell: (record: SpecRecord) => void,
): Promise<void> {
  const stage = Deno.makeTempDirSync({ prefix: "conformance-" });
  try {
    stageTests(findCore(), [...files, "jasmine_util.js"], stage);
    installJasmine();
    await openEngine({ threads: 1, executor: "onnx" });
    if (executor === "native") await computeNatively();
    noteKernels(BACKEND);
    const url = (file: string) => pathToFileURL(join(stage, file)).href;
    const { setTestEnvs } = await import(url("jasmine_util.js"));
    setTestEnvs([{ name: BACKEND, backendName: BACKEND, isDataSync: true }]);
    for (const file of files) {
      const noteSkippedSuite = (name: string) => tell({ kind: "elsewhere", file, name });
      Object.assign(globalThis, { noteSkippedSuite });
      await import(url(file));
      await runSpecs({
        wants: (name) => {
          const isExcluded = findExclusion(file, name) !== undefined;
          if (isExcluded) tell({ kind: "excluded", file, name });
          return !isExcluded;
        },
        pending: (name) => tell({ kind: "pending", file, name }),
        started: () => {
          kernels.clear();
          FALLBACKS_SEEN.clear();
          missed.clear();
        },
        ended: ({ name, failures }) => {
          const fallback = [...FALLBACKS_SEEN, ...missed];
          const compiled = [...kernels].filter((kernel) => !FALLBACKS_SEEN.has(kernel));
          tell({ kind: "spec", file, name, compiled, fallback, failures });
        },
      });
    }
  } finally {
    Deno.removeSync(stage, { recursive: true });
  }
}

if (import.meta.main) {
  const [executor, ...files] = Deno.args;
  const { log, error: complain } = console;
  console.log = console.warn = () => {}; // tests and deprecated calls print
  globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());
  Object.assign(globalThis, { require: createRequire(import.meta.url) });
  try {
    await runFiles(
      executor === "native" ? "native" : "onnx",
      files,
      (record) => log(JSON.stringify(record)),
    );
    process.exit(0); // ends timers that tests left behind
  } catch (error) {
    complain(error);
    process.exit(1);
  }
}
