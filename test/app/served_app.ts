/**
 * Serves a tiny model over HTTP for tests.
 * @module
 */
import { type AppState, createApp } from "@/app/create_app.ts";
import { createServiceQueue, type ModelService } from "@/app/model_service.ts";
import type { ModelFacts } from "@/app/open_demo_run.ts";
import { buildPageFiles } from "@/app/page_files.ts";
import { createRunCache, type ServedRun, serveRun } from "@/app/run_cache.ts";
import { serveApp } from "@/app/serve_app.ts";
import type { SavedModel } from "@/eval/open_saved_model.ts";
import { textModelOf } from "@/eval/text_model.ts";
import { withSavedModel } from "../eval/saved_model.ts";

/** A report with inline style and without scripts. */
export const REPORT = "<!doctype html><title>r</title><style>p{color:red}</style><p>The report</p>";

/** A model card. */
export const CARD = "<!doctype html><title>c</title><p>The card</p>";

/** Examples of the run `tiny`. */
export const EXAMPLES = [
  "Coach Gerdin praised Nexavor Rovers after the final in Balogandale.",
  "Shares of Kelvanta Corp fell on Friday after the bank audited its bonds.",
  "Researchers in Undolin tested a satellite network for the spacecraft.",
  "The governor of Maremon Island met ministers in Paris over the sanctions.",
] as const;

/** Facts about the run `tiny`. */
export const FACTS: ModelFacts = { run: "tiny", examples: EXAMPLES, trainedOnSample: false };

/** Running server that a test receives. */
export type Served = {
  readonly address: string;
  readonly state: AppState;
  /**
   * The default run `tiny`, and the run `other` with the same model and other facts. There is also a run `broken`, which
   * cannot be opened.
   */
  readonly runs: Readonly<Record<"tiny" | "other", ServedRun>>;
  /** Replaces methods of the default run's service; restores the original service if called without argument. */
  replaceService(part?: Partial<ModelService>): void;
  readonly saved: SavedModel;
  /** Stops the server gracefully. */
  stop(): Promise<void>;
};

/** Options of the server. */
export type ServedOptions = {
  /** Time limit of a request. */
  readonly requestMs?: number;
  /** Called with internal errors. */
  readonly onInternalError?: (error: Error) => void;
};

/** Runs `test` with a server of a tiny, randomly initialized model. */
export async function withServedApp(
  test: (served: Served) => Promise<void>,
  options: ServedOptions = {},
): Promise<void> {
  await withSavedModel([0, 1, -1], (saved) => withServedModel(saved, test, options));
}

/** Runs `test` with a server of the model `saved`. */
export async function withServedModel(
  saved: SavedModel,
  test: (served: Served) => Promise<void>,
  options: ServedOptions = {},
): Promise<void> {
  const files = await buildPageFiles();
  const engineQueue = createServiceQueue();
  const model = textModelOf(saved);
  const serve = (facts: ModelFacts): ServedRun =>
    serveRun({ folder: facts.run, model, facts, report: REPORT, card: CARD }, engineQueue);
  const runs = {
    tiny: serve(FACTS),
    other: serve({ run: "other", examples: ["Another example."], trainedOnSample: true }),
  };
  const state: AppState = {
    run: runs.tiny,
    waiting: { status: "starting", label: "train", done: 3, total: 10 },
    runs: createRunCache({
      list: () =>
        Promise.resolve(["tiny", "other", "broken"].map((name) => ({ name, folder: name }))),
      open: (folder) =>
        folder === "other"
          ? Promise.resolve(runs.other)
          : Promise.reject(new RangeError("Cannot read model.safetensors: it is cut")),
      close() {},
    }),
  };
  const replaceService = (part: Partial<ModelService> = {}) => {
    state.run = { ...runs.tiny, service: { ...runs.tiny.service, ...part } };
  };
  const hostname = "127.0.0.1";
  const app = createApp({ state, files, nowMs: () => performance.now(), hostname, ...options });
  const abort = new AbortController();
  const listening = Promise.withResolvers<string>();
  const ended = serveApp(app, {
    hostname,
    port: 0,
    signal: abort.signal,
    onListen: listening.resolve,
  });
  const stop = () => {
    abort.abort();
    return ended;
  };
  try {
    await test({ address: await listening.promise, state, runs, replaceService, saved, stop });
  } finally {
    await stop();
  }
}
