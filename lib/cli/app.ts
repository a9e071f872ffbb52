/**
 * `deno task app`: the demo page, on the newest run; without one, the quickstart is trained first.
 * @module
 */
import { basename, join, resolve } from "node:path";
import { type AppState, createApp } from "@/app/create_app.ts";
import { findNewestRun } from "@/app/find_run.ts";
import { createModelService } from "@/app/model_service.ts";
import { buildPageFiles } from "@/app/page_files.ts";
import { serveApp } from "@/app/serve_app.ts";
import { describeEnvironment } from "@/environment.ts";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { isFile, readText } from "@/files.ts";
import type { ProgressView } from "@/progress.ts";
import { writeReport } from "@/report/write_report.ts";
import { resolveConfig } from "@/resolve_config.ts";
import { trainRun } from "@/train/train_run.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./frame.ts";
import { openEngineFor, readEngineChoice } from "./open_engine.ts";
import { createTerminalProgress } from "./progress.ts";

const OPTIONS = {
  run: { type: "string", value: "RUN", help: "run to show; by default the newest in outputs/" },
  host: { type: "string", value: "HOST", default: "127.0.0.1", help: "address to listen at" },
  port: { type: "string", value: "N", default: "8000", help: "port; 0 for any that is free" },
} as const satisfies Options;

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port < 65_536) return port;
  throw new RangeError(`Cannot run app as --port must be in 0 … 65535: current value is ${text}`);
}

/** A view in the terminal that the page can read as well. */
function showBoth(state: AppState): ProgressView {
  const terminal = createTerminalProgress();
  return {
    update(progress) {
      const { label, done, total } = progress;
      state.waiting = { status: "starting", label, done, total };
      terminal.update(progress);
    },
    finish: () => terminal.finish(),
  };
}

/** Trains the quickstart into `out`. */
async function trainQuickstart(
  out: string,
  { view, signal }: { readonly view: ProgressView; readonly signal: AbortSignal },
): Promise<void> {
  const config = resolveConfig({ preset: "quickstart" });
  const executor = await openEngineFor(config);
  await trainRun(config, {
    out,
    nowMs: () => performance.now(),
    environment: describeEnvironment(config.device, executor),
    view,
    signal,
  });
  await writeReport(out);
}

/** Puts the model of a run, or of a run trained for it, into `state`. */
async function prepare(
  given: string | undefined,
  { state, signal }: { readonly state: AppState; readonly signal: AbortSignal },
): Promise<void> {
  const view = showBoth(state);
  const newest = given ?? await findNewestRun("outputs");
  const run = newest ?? join("outputs", "quickstart");
  if (newest === null) {
    console.log(`no run yet: training the quickstart into ${run} first, about a minute`);
    await trainQuickstart(run, { view, signal });
  }
  if (signal.aborted) return;
  // first: the engine must hold the model's tensors
  await openEngineFor({ ...readEngineChoice("app", []), precision: "float32" });
  const saved = await openSavedModel(run, { view });
  const report = join(run, "report.html");
  if (await isFile(report)) state.report = await readText(report, "report");
  const service = createModelService(saved, basename(resolve(run)));
  await service.predict(["Ready."]); // compiles what the first visitor would wait for
  state.service = service;
  console.log(`ready: ${run}`);
}

/** The task `app`. */
export const APP = {
  name: "app",
  summary:
    "Serves the demo page and its JSON API, on this machine alone unless --host says otherwise.",
  usage: "[--run RUN] [--host HOST] [--port N]",
  options: OPTIONS,
  stopsItself: true,
  async run({ values, signal }) {
    const port = readPort(values.port);
    const files = await buildPageFiles();
    const state: AppState = {
      service: null,
      waiting: { status: "starting", label: "open model", done: 0, total: 1 },
      report: null,
    };
    const app = createApp({ state, files, nowMs: () => performance.now() });
    const stop = new AbortController();
    const serving = serveApp(app, {
      hostname: values.host,
      port,
      signal: AbortSignal.any([signal, stop.signal]),
      onListen: (address) => console.log(`demo page: ${address}`),
    });
    const preparing = prepare(values.run, { state, signal }).catch((error) => {
      stop.abort();
      throw error;
    });
    await Promise.all([serving, preparing]);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(APP);
