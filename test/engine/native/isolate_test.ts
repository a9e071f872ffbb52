/**
 * A process may have several isolates (workers, the files of `deno test`). All of them share one pool, which outlives each
 * of them.
 */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { turnRepeatedly } from "./turn_repeatedly.ts";

const TURNED = 50 * 400;

/** Runs the program in a worker that then ends. */
async function runInWorker(): Promise<number> {
  const worker = new Worker(import.meta.resolve("./isolate.ts"), { type: "module" });
  try {
    return await new Promise<number>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(Number(data));
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(null);
    });
  } finally {
    worker.terminate();
  }
}

Deno.test("several isolates share the pool, which outlives them", async () => {
  const results = await Promise.all([turnRepeatedly(), runInWorker(), runInWorker()]);
  deepStrictEqual(results, [TURNED, TURNED, TURNED]);
  strictEqual(await runInWorker(), TURNED); // the library was closed and is opened again
  strictEqual(await turnRepeatedly(), TURNED);
});
