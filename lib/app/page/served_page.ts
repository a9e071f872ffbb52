/**
 * Entry point of the page that is served together with the API.
 * @module
 */
/// <reference lib="dom" />
import type { ErrorAnswer, Health, ModelInfo, RunsAnswer } from "@/app/contract.ts";
import { BusyError, type ModelClient } from "./model_client.ts";
import { startPage } from "./start_page.ts";

/** Error codes after which a retry may succeed. */
const BUSY: readonly ErrorAnswer["error"]["code"][] = ["overloaded", "timed_out"];

/** Sends a request; if the server does not respond, throws an error that says what to do. */
async function reach(path: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Error(
      "Cannot reach the server: start it again, then change the text or reload the page",
    );
  }
}

/** Parses a response as JSON; throws an error with the server's message if the request was rejected. */
async function readAnswer<T>(response: Response): Promise<T> {
  if (response.ok) return await response.json();
  let refusal: ErrorAnswer["error"];
  try {
    refusal = (await response.json()).error;
  } catch { // a proxy between page and server may respond in its own format
    throw new Error(
      `Unexpected response with status ${response.status}, without an error message from the server`,
    );
  }
  throw BUSY.includes(refusal.code) ? new BusyError(refusal.message) : new Error(refusal.message);
}

async function post<T>(path: string, body: unknown, signal: AbortSignal): Promise<T> {
  return await readAnswer<T>(
    await reach(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    }),
  );
}

const server: ModelClient = {
  health: async () => await readAnswer<Health>(await reach("api/health/live")),
  runs: async () => (await readAnswer<RunsAnswer>(await reach("api/runs"))).runs,
  open: async (run) =>
    await readAnswer<ModelInfo>(await reach(`api/model?run=${encodeURIComponent(run)}`)),
  predict: (texts, { run, signal }) => post("api/predict", { texts, run }, signal),
  encode: (texts, { run, pooling, normalize, signal }) =>
    post("api/encode", {
      texts,
      run,
      ...pooling === null ? {} : { pooling },
      ...normalize === null ? {} : { normalize },
    }, signal),
};

await startPage(server, {
  fileOf: (kind, run) => `${kind}.html?run=${encodeURIComponent(run)}`,
  computed: "on the server",
  api: new URL("api/", document.baseURI).href,
});
