/**
 * `deno task load`: measures the demo page's server under many concurrent clients.
 * @module
 */
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createPredictQuestion,
  driveLoad,
  type LoadResult,
} from "@/development/load/drive_load.ts";
import { formatLoad, formatLoadPage } from "@/development/load/format_load.ts";
import { readTestTexts, resolveBenchConfig } from "@/development/bench/bench_inputs.ts";
import { writePair } from "@/development/bench/write_results.ts";
import { describeMachine } from "@/system/machine.ts";
import { readResidentMiB } from "@/system/process_memory.ts";
import { type Options, parseInteger } from "../arguments.ts";
import { runTask, type Task } from "../run_task.ts";
import { MODEL_NOTE } from "../model_argument.ts";
import { createTerminalProgress } from "../terminal_progress.ts";

const OPTIONS = {
  clients: { type: "string", value: "N", default: "64", help: "concurrent clients" },
  seconds: { type: "string", value: "N", default: "60", help: "duration in seconds" },
  data: {
    type: "string",
    value: "DIR",
    byDefault: "the built-in sample",
    help: "folder of the data sets; the requests use their test texts",
  },
  out: { type: "string", value: "FILE", help: "also write FILE.md and FILE.json" },
} as const satisfies Options;

/** Length of the warm-up as a fraction of the duration; programs are compiled during the warm-up. */
const WARMUP_SHARE = 0.25;

/** Server of `deno task app` in a separate process. */
type Server = {
  readonly address: string;
  readonly process: number;
  /** Stops the server; resolves to true if it exited without an error. */
  stop(): Promise<boolean>;
};

/** Starts a server and waits until its model is ready. */
async function startServer(run: string): Promise<Server> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--unstable-no-legacy-abort", // as in `deno task app`: the end of a response must not abort its request
      "--config",
      fileURLToPath(new URL("../../../deno.json", import.meta.url)),
      fileURLToPath(new URL("../app.ts", import.meta.url)),
      "--run",
      run,
      "--port",
      "0",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let printed = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!printed.includes("ready: ")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("Cannot measure load: the server failed to start; see above");
    printed += value;
  }
  const address = /demo page: (\S+)/.exec(printed)?.[1] ?? "";
  return {
    address,
    process: child.pid,
    async stop() {
      child.kill("SIGINT");
      await reader.cancel();
      return (await child.status).success;
    },
  };
}

/** The task `load`. */
const LOAD = {
  name: "load",
  summary: "Measures errors, latency and memory of the demo page's server under many clients.",
  notes: [MODEL_NOTE],
  usage: "MODEL [--clients N] [--seconds N] [--data DIR] [--out FILE]",
  options: OPTIONS,
  positionals: { names: ["MODEL"], min: 1, max: 1 },
  async run({ values, positionals: [run = ""] }) {
    const clients = parseInteger("load", "clients", values.clients, 1);
    const seconds = parseInteger("load", "seconds", values.seconds, 1);
    const config = resolveBenchConfig({ set: [], data: values.data });
    const texts = await readTestTexts(config);
    const view = createTerminalProgress();
    const server = await startServer(run);
    const load = {
      ask: createPredictQuestion(server.address, texts),
      clients,
      nowMs: () => performance.now(),
      readMiB: () => readResidentMiB(server.process),
    };
    const show = (label: string, total: number) => (passed: number, answers: number) =>
      view.update({
        label,
        done: Math.floor(passed),
        total: Math.ceil(total),
        details: [`${answers} answers`],
      });
    let isOrderly = false;
    let result: LoadResult;
    try {
      const warmup = seconds * WARMUP_SHARE;
      await driveLoad({ ...load, seconds: warmup, onSecond: show("warm-up", warmup) });
      result = await driveLoad({ ...load, seconds, onSecond: show("load", seconds) });
    } finally {
      await view.finish();
      isOrderly = await server.stop();
    }
    for (const line of formatLoad(result)) console.log(line);
    if (!isOrderly) console.error("the server did not exit cleanly");
    const context = {
      machine: describeMachine(),
      versions: { deno: Deno.version.deno },
      threads: navigator.hardwareConcurrency,
      command: `deno task load ${run} --clients ${clients} --seconds ${seconds}${
        values.data === undefined ? "" : " --data DIR"
      }`,
    };
    if (values.out !== undefined) {
      const subject = `Run ${basename(resolve(run))}.`;
      await writePair(values.out, {
        markdown: formatLoadPage(result, { context, subject }),
        figures: { ...context, result },
      });
    }
    return result.errors === 0 && result.answers > 0 && isOrderly;
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(LOAD);
