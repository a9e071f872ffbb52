/**
 * A worker that runs a program of the shared runtime, for tests of several isolates in one process.
 */
/// <reference lib="deno.worker" />
import { turnRepeatedly } from "./turn_repeatedly.ts";

self.onmessage = async () => self.postMessage(await turnRepeatedly());
