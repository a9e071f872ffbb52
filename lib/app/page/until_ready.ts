/**
 * Waits until the model is ready.
 * @module
 */
/// <reference lib="dom" />
import type { Health, ModelInfo } from "@/app/contract.ts";
import type { ModelClient } from "./model_client.ts";
import { find } from "./elements.ts";

const POLL_MS = 500;

/** Outputs for messages to the user. */
type StatusOutput = {
  /** Announces the current activity. */
  announce(words: string): void;
  /** Shows an error; null removes it. */
  showError(words: string | null): void;
};

/**
 * Polls until the model is ready and shows the progress. The activity is announced once in words; the numbers only
 * move a progress bar, because screen readers read every text change aloud. If a request fails, it is repeated.
 */
export async function untilReady(
  client: ModelClient,
  { announce, showError }: StatusOutput,
): Promise<ModelInfo> {
  const bar = find("progress", HTMLProgressElement);
  for (;;) {
    let found: Health | null = null;
    try {
      found = await client.health();
      showError(null);
    } catch (error) {
      showError(error instanceof Error ? error.message : String(error));
    }
    bar.hidden = found?.status !== "starting";
    if (found?.status === "ready") return found.model;
    if (found?.status === "failed") throw new Error(found.message);
    if (found !== null) {
      announce(`Getting ready: ${found.label}.`);
      bar.max = Math.max(1, found.total);
      bar.value = found.done;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
