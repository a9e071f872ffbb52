/**
 * A tiny model behind a real server, for tests that ask it over HTTP.
 * @module
 */
import { type AppState, createApp } from "@/app/create_app.ts";
import { createModelService } from "@/app/model_service.ts";
import { buildPageFiles } from "@/app/page_files.ts";
import { serveApp } from "@/app/serve_app.ts";
import type { SavedModel } from "@/eval/open_saved_model.ts";
import { withSavedModel } from "../eval/saved_model.ts";

/** A report as a run has one: style inside, nothing that runs. */
export const REPORT = "<!doctype html><title>r</title><style>p{color:red}</style><p>The report</p>";

/** What a test is given. */
export type Served = {
  readonly address: string;
  readonly state: AppState;
  readonly saved: SavedModel;
  /** Stops the server in good order. */
  stop(): Promise<void>;
};

/** How a server is served. */
export type ServedOptions = {
  /** Within which answers must come. */
  readonly requestMs?: number;
  /** Told of faults. */
  readonly onFault?: (error: Error) => void;
};

/** Runs `test` against a server with a tiny model of random numbers. */
export async function withServedApp(
  test: (served: Served) => Promise<void>,
  options: ServedOptions = {},
): Promise<void> {
  await withSavedModel([0, 1, -1], (saved) => withServedModel(saved, test, options));
}

/** Runs `test` against a server with `saved`. */
export async function withServedModel(
  saved: SavedModel,
  test: (served: Served) => Promise<void>,
  options: ServedOptions = {},
): Promise<void> {
  const files = await buildPageFiles();
  const state: AppState = {
    service: createModelService(saved, "tiny"),
    waiting: { status: "starting", label: "train", done: 3, total: 10 },
    report: REPORT,
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
    await test({ address: await listening.promise, state, saved, stop });
  } finally {
    await stop();
  }
}
