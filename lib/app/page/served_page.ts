/**
 * The page that asks the server it came from.
 * @module
 */
/// <reference lib="dom" />
import type { ErrorAnswer, Health, ModelInfo, RunsAnswer } from "@/app/contract.ts";
import { type Answerer, BusyError } from "./answerer.ts";
import { startPage } from "./start_page.ts";

/** Codes of refusals that may be followed by an answer a moment later. */
const BUSY: readonly ErrorAnswer["error"]["code"][] = ["overloaded", "timed_out"];

/** The response to a request; a server that does not respond is an error that says what to do. */
async function reach(path: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Error(
      "Cannot reach the server as it must be running: start it again, then change the text or reload",
    );
  }
}

/** The JSON of a response; a refusal becomes an error with the server's words. */
async function readAnswer<T>(response: Response): Promise<T> {
  if (response.ok) return await response.json();
  let refusal: ErrorAnswer["error"];
  try {
    refusal = (await response.json()).error;
  } catch { // a proxy between page and server answers in its own way
    throw new Error(
      `Cannot use the server's answer as its status must be 200: it is ${response.status}`,
    );
  }
  throw BUSY.includes(refusal.code) ? new BusyError(refusal.message) : new Error(refusal.message);
}

async function ask<T>(path: string, body: unknown, signal: AbortSignal): Promise<T> {
  return await readAnswer<T>(
    await reach(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    }),
  );
}

const server: Answerer = {
  health: async () => await readAnswer<Health>(await reach("api/health/live")),
  runs: async () => (await readAnswer<RunsAnswer>(await reach("api/runs"))).runs,
  open: async (run) =>
    await readAnswer<ModelInfo>(await reach(`api/model?run=${encodeURIComponent(run)}`)),
  predict: (texts, { run, signal }) => ask("api/predict", { texts, run }, signal),
  encode: (texts, { run, pooling, normalize, signal }) =>
    ask("api/encode", {
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
