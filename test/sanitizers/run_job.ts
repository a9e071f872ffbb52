/**
 * Runs one job with generated C in a process of its own: `run_job.ts NAME [NUMBER …]`. The result goes to stdout as
 * a line of JSON, progress and sanitizer reports go to stderr.
 * @module
 */
import process from "node:process";
import * as tf from "@tensorflow/tfjs";
import { createTerminalProgress } from "@/cli/terminal_progress.ts";
import { POOLING_MODES } from "@/config/config.ts";
import { PRECISIONS } from "@/engine/options.ts";
import { openEngine } from "@/engine/engine.ts";
import { openNativeRuntime } from "@/engine/native/runtime.ts";
import { disposeModel } from "@/model/parameters.ts";
import { compareGeneric } from "../engine/compare_generic.ts";
import { compareGraphs } from "../engine/compare_graphs.ts";
import { batchesOf, createFixtureTraining, meanLoss, TASKS } from "../train/steps_fixture.ts";
import { createTinyModel } from "../train/tiny_model.ts";
import { measureReleases, type Releases } from "./measure_releases.ts";

const THREADS = 2;

/** Faults that the sanitizers must find; otherwise they are not working. */
const PLANTED = `
#include <stdint.h>
#include <stdlib.h>
int64_t planted_write(char *block, int64_t bytes) { return block[bytes] = 1; }
int64_t planted_use(char *block, int64_t bytes) {
  char *own = malloc((size_t)bytes);
  own[0] = block[0];
  free(own);
  return own[0];
}
int64_t planted_shift(char *block, int64_t bytes) { return (int)(block[0] + 1) << bytes; }
`;

/** Commits a planted fault: a write past the end of a program's memory, or a shift by too many bits. */
async function plant(name: string): Promise<void> {
  const runtime = await openNativeRuntime({ threads: THREADS, isa: null });
  const [address = 0n] = await runtime.loadKernels(PLANTED, [name]);
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer === null) throw new Error(`internal: no address of ${name}`);
  const fault = new Deno.UnsafeFnPointer(
    pointer as Deno.PointerObject<never>,
    { parameters: ["pointer", "i64"], result: "i64" } as const,
  );
  fault.call(runtime.allocate(100).pointer, 100n);
}

/** Training steps of a tiny BERT: two batches of each task and an update, for each variant. */
async function trainSteps(variants: number): Promise<void> {
  const view = createTerminalProgress();
  const all = PRECISIONS.flatMap((precision) =>
    POOLING_MODES.map((pooling) => ({ precision, pooling }))
  ).slice(0, variants);
  for (const [i, { precision, pooling }] of all.entries()) {
    view.update({ done: i, total: all.length, label: "training steps", details: [precision] });
    await openEngine({ executor: "native", threads: THREADS, precision });
    const model = createTinyModel(1, { pooling });
    const { trainStep, dispose, ...training } = createFixtureTraining(model, {
      dropout: { hidden: 0.1, attention: 0.1, head: 0.1 },
    });
    let { state } = training;
    for (const turn of [0, 1]) {
      const [next, metrics] = await trainStep(state, batchesOf(turn));
      state = next;
      const losses = TASKS.map((task) => meanLoss(metrics, task));
      if (!losses.every(Number.isFinite)) {
        throw new Error(`${precision} ${pooling}: losses of ${losses}`);
      }
    }
    dispose();
    disposeModel(model);
  }
  await view.finish();
}

async function runGraphs(count: number, seed: number): Promise<void> {
  await openEngine({ executor: "native", threads: THREADS });
  const view = createTerminalProgress();
  await compareGraphs({
    count,
    seed,
    onGraph: (done) => view.update({ done, total: count, label: "random graphs" }),
  });
  await view.finish();
}

async function runFunctions(count: number, seed: number): Promise<void> {
  await openEngine({ executor: "native", threads: THREADS });
  const view = createTerminalProgress();
  await compareGeneric({
    count,
    seed,
    onFunction: (done) => view.update({ done, total: count, label: "functions of dynamic shape" }),
  });
  await view.finish();
}

async function runReleases(count: number): Promise<Releases> {
  await openEngine({ executor: "native", threads: THREADS });
  const view = createTerminalProgress();
  const releases = await measureReleases(count, {
    library: Deno.env.get("LD_PRELOAD")?.split(":")[0],
    onProgram: (done, total) => view.update({ done, total, label: "programs released" }),
  });
  await view.finish();
  return releases;
}

async function runJob(name: string, numbers: readonly number[]): Promise<unknown> {
  const [first = 0, second = 0] = numbers;
  switch (name) {
    case "planted_write":
    case "planted_use":
    case "planted_shift":
      return await plant(name);
    case "steps":
      return await trainSteps(first);
    case "graphs":
      return await runGraphs(first, second);
    case "functions":
      return await runFunctions(first, second);
    case "releases":
      return await runReleases(first);
    default:
      throw new RangeError(`internal: no job ${name}`);
  }
}

if (import.meta.main) {
  const [name = "", ...numbers] = Deno.args;
  console.warn = () => {}; // TensorFlow.js prints a greeting
  const found = await runJob(name, numbers.map(Number));
  console.log(JSON.stringify(found ?? { tensors: tf.memory().numTensors }));
  process.exit(0);
}
