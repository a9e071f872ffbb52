/**
 * The page that asks the server it came from.
 * @module
 */
/// <reference lib="dom" />
import type { ErrorAnswer, Health } from "@/app/contract.ts";
import type { Answerer } from "./answerer.ts";
import { startPage } from "./start_page.ts";

async function ask<T>(path: string, body: unknown, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, {
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
  health: async (): Promise<Health> => (await fetch("api/health")).json(),
  predict: (texts, signal) => ask("api/predict", { texts }, signal),
  encode: (texts, { pooling, normalize }, signal) =>
    ask("api/encode", {
      texts,
      ...pooling === null ? {} : { pooling },
      ...normalize === null ? {} : { normalize },
    }, signal),
};

await startPage(server, { reportPath: "report.html" });
