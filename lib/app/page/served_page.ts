/**
 * The page that asks the server it came from.
 * @module
 */
/// <reference lib="dom" />
import type { ErrorAnswer, Health } from "@/app/contract.ts";
import type { Answerer } from "./answerer.ts";
import { startPage } from "./start_page.ts";

/** What the server says to a request; a server that does not answer is an error that says what to do. */
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

async function ask<T>(path: string, body: unknown, signal: AbortSignal): Promise<T> {
  const response = await reach(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (response.ok) return await response.json();
  const { error }: ErrorAnswer = await response.json();
  throw new Error(error.message);
}

const server: Answerer = {
  health: async (): Promise<Health> => (await reach("api/health/live")).json(),
  predict: (texts, signal) => ask("api/predict", { texts }, signal),
  encode: (texts, { pooling, normalize }, signal) =>
    ask("api/encode", {
      texts,
      ...pooling === null ? {} : { pooling },
      ...normalize === null ? {} : { normalize },
    }, signal),
};

await startPage(server, { reportPath: "report.html", computed: "on the server" });
