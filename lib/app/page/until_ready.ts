/**
 * The page until its model is there.
 * @module
 */
/// <reference lib="dom" />
import type { Health, ModelInfo } from "@/app/contract.ts";
import type { Answerer } from "./answerer.ts";
import { find } from "./elements.ts";

const POLL_MS = 500;

/** How the page speaks. */
export type Voice = {
  /** Says what is going on. */
  say(words: string): void;
  /** Says what is wrong; null: nothing. */
  complain(words: string | null): void;
};

/**
 * Waits until the model is there, and shows meanwhile how far it is: what is done in words, once, the
 * numbers as a bar, since words that change are read aloud. Whoever does not answer is asked again.
 */
export async function untilReady(answerer: Answerer, { say, complain }: Voice): Promise<ModelInfo> {
  const bar = find("progress", HTMLProgressElement);
  for (;;) {
    let found: Health | null = null;
    try {
      found = await answerer.health();
      complain(null);
    } catch (error) {
      complain(error instanceof Error ? error.message : String(error));
    }
    bar.hidden = found?.status !== "starting";
    if (found?.status === "ready") return found.model;
    if (found?.status === "failed") throw new Error(found.message);
    if (found !== null) {
      say(`Getting ready: ${found.label}.`);
      bar.max = Math.max(1, found.total);
      bar.value = found.done;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
