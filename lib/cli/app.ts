/**
 * `deno task app`: serves the demo page for the newest run, or for the one that ships with the repository.
 * @module
 */
import { join } from "node:path";
import { type AppState, createApp } from "@/app/create_app.ts";
import { listShownRuns } from "@/app/find_run.ts";
import { createServiceQueue, type ModelService } from "@/app/model_service.ts";
import { type DemoRun, openDemoRun } from "@/app/open_demo_run.ts";
import { buildPageFiles } from "@/app/page_files.ts";
import { serveApp } from "@/app/serve_app.ts";
import { createServedRuns, serveRun } from "@/app/run_cache.ts";
import { writeStaticPage } from "@/app/write_static_page.ts";
import type { TextModel } from "@/eval/text_model.ts";
import type { ProgressView } from "@/progress.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./run_task.ts";
import { DEFAULT_MODEL_NOTE, takeDefaultModel } from "./model_argument.ts";
import { openModelFor, readEngineChoice } from "./open_engine.ts";
import { createTerminalProgress } from "./terminal_progress.ts";

const OPTIONS = {
  run: { type: "string", value: "MODEL", help: "same as the argument MODEL" },
  host: { type: "string", value: "HOST", default: "127.0.0.1", help: "address to listen at" },
  port: { type: "string", value: "N", default: "8000", help: "port; 0 for any free one" },
  static: {
    type: "string",
    value: "DIR",
    help: "write the page and its model to a folder for any static host instead of serving it",
  },
} as const satisfies Options;

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port < 65_536) return port;
  throw new RangeError(`Cannot run app: --port must be an integer from 0 to 65535, not ${text}`);
}

/** Progress view that writes to the terminal and to the state that the page polls. */
function createSharedView(state: AppState): ProgressView {
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

/** Opens a model in float32. */
function openShownModel(folder: string, view?: ProgressView): Promise<TextModel> {
  const engine = { ...readEngineChoice("app", []), precision: "float32" } as const;
  return openModelFor(folder, { task: "app", engine, ...(view && { view }) });
}

/** Opens the given model, or the default one. */
async function openRun(given: string | undefined, view: ProgressView): Promise<DemoRun> {
  const folder = given ?? await takeDefaultModel("app");
  return await openDemoRun(folder, () => openShownModel(folder, view));
}

/** Calls a service once, so that its programs are compiled before the first request. */
async function warmUp({ info, predict, encode }: ModelService): Promise<void> {
  const { tasks, pooling, normalize, defaultPromptName: promptName } = info;
  if (tasks.length > 0) await predict(["Ready."]);
  else await encode(["Ready."], { pooling, normalize, promptName });
}

/** Serves the page. The model is opened while the page is already available and shows the progress. */
async function servePage(
  given: string | undefined,
  { host, port, signal }: {
    readonly host: string;
    readonly port: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const files = await buildPageFiles();
  const engineQueue = createServiceQueue();
  let shown = "";
  const state: AppState = {
    run: null,
    waiting: { status: "starting", label: "opening the model", done: 0, total: 1 },
    runs: createServedRuns({
      list: () => listShownRuns(shown),
      open: openShownModel,
      engineQueue,
    }),
  };
  const app = createApp({
    state,
    files,
    nowMs: () => performance.now(),
    hostname: host,
    onInternalError: (error) => console.error("internal error:", error),
  });
  const stop = new AbortController();
  const serving = serveApp(app, {
    hostname: host,
    port,
    signal: AbortSignal.any([signal, stop.signal]),
    onListen: (address) => console.log(`demo page: ${address}`),
  });
  const prepare = async () => {
    const run = await openRun(given, createSharedView(state));
    const served = serveRun(run, engineQueue);
    await warmUp(served.service);
    shown = run.folder;
    state.run = served;
    console.log(`ready: ${run.folder}`);
  };
  const preparing = prepare().catch((error) => {
    stop.abort();
    throw error;
  });
  await Promise.all([serving, preparing]);
}

/** Writes the static page of a run into a folder. */
async function writePage(out: string, given: string | undefined): Promise<void> {
  const run = await openRun(given, createTerminalProgress());
  for (const { name: file, bytes } of await writeStaticPage(run, out)) {
    console.log(`${join(out, file)}  ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  }
  console.log(`page of ${run.folder}: upload ${out} to any static host`);
}

/** The task `app`. */
const APP = {
  name: "app",
  summary: "Serves the demo page and its JSON API; only for this machine unless --host is given.",
  usage: "[MODEL] [--run MODEL] [--host HOST] [--port N] [--static DIR]",
  notes: [DEFAULT_MODEL_NOTE],
  options: OPTIONS,
  positionals: { names: ["MODEL"], min: 0, max: 1 },
  stopsItself: true,
  async run({ values, positionals: [model], signal }) {
    if (model !== undefined && values.run !== undefined && model !== values.run) {
      throw new RangeError(
        `Cannot run app: --run ${values.run} and the argument ${model} name two models; give one`,
      );
    }
    const given = model ?? values.run;
    if (values.static !== undefined) return await writePage(values.static, given);
    await servePage(given, { host: values.host, port: readPort(values.port), signal });
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(APP);
