/**
 * Worker of the static page. It downloads the model and computes in its own thread, so that the page stays responsive.
 * @module
 */
/// <reference lib="dom" />
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { Health } from "@/app/contract.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import type { RunGraph } from "@/eval/graph_model.ts";
import { createGraphService, type GraphService } from "./graph_service.ts";
import { fetchFile, fetchJson, STATIC_FILES, type StaticModel } from "./static_files.ts";
import type { WorkerMessage, WorkerRequest } from "./model_client.ts";

const MIB = 2 ** 20;

const post = (message: WorkerMessage) => postMessage(message);
const report = (health: Health) => post({ type: "health", health });
const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);

/** Opens a graph with ONNX Runtime's WebAssembly, in one thread, since static hosts do not allow more. */
async function openGraph(
  graph: Uint8Array<ArrayBuffer>,
  runtime: Uint8Array<ArrayBuffer>,
): Promise<RunGraph> {
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary = runtime.buffer;
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(graph);
  } catch (error) {
    throw new Error(
      `Cannot run the model: this browser does not support WebAssembly with SIMD ("${
        messageOf(error).slice(0, 200)
      }"); try a current browser`,
    );
  }
  return async (ids) => {
    const shape = [1, ids.length];
    const longs = BigInt64Array.from(ids, BigInt);
    const feeds = {
      input_ids: new Tensor("int64", longs, shape),
      attention_mask: new Tensor("int64", new BigInt64Array(ids.length).fill(1n), shape),
    };
    const found = Object.entries(await session.run(feeds));
    return new Map(found.map(([name, { data }]) => {
      if (data instanceof Float32Array) return [name, data];
      throw new TypeError(`internal: the graph's output ${name} is not float32`);
    }));
  };
}

/** Downloads the large files and reports the progress. */
async function fetchLarge({ graph, runtime }: StaticModel["bytes"]) {
  const stop = new AbortController(); // if one download fails, the other no longer reports progress
  const { signal } = stop;
  const total = Number(((graph + runtime) / MIB).toFixed(1));
  let done = 0;
  const onBytes = (count: number) => {
    if (signal.aborted) return;
    done += count;
    report({
      status: "starting",
      label: `downloading the model (${total} MiB)`,
      done: Number((done / MIB).toFixed(1)),
      total,
    });
  };
  onBytes(0);
  try {
    return await Promise.all([
      fetchFile(STATIC_FILES.graph, { bytes: graph, signal, onBytes }),
      fetchFile(STATIC_FILES.runtime, { bytes: runtime, signal, onBytes }),
    ]);
  } finally {
    stop.abort();
  }
}

/** Downloads all files, opens the model and reports the progress. */
async function openService(): Promise<GraphService> {
  if (typeof WebAssembly !== "object") {
    throw new Error(
      "Cannot run the model: this browser does not support WebAssembly; try another browser",
    );
  }
  const { info, bytes } = await fetchJson(STATIC_FILES.model) as StaticModel;
  const tokenizer = tokenizerFromJson(
    await fetchJson(STATIC_FILES.tokenizer),
    await fetchJson(STATIC_FILES.tokenizerConfig),
  );
  const [graph, runtime] = await fetchLarge(bytes);
  report({ status: "starting", label: "starting the model", done: 0, total: 1 });
  const runGraph = await openGraph(graph, runtime);
  const nowMs = () => performance.now();
  const service = createGraphService({ info, tokenizer, runGraph, nowMs });
  report({ status: "ready", model: info });
  return service;
}

const opened = openService();
opened.catch((error) => report({ status: "failed", message: messageOf(error) }));

const waiting = new Set<number>();
let last: Promise<unknown> = opened.catch(() => {});

/** Answers one request, unless it has been canceled in the meantime. */
async function answer(request: Exclude<WorkerRequest, { readonly type: "cancel" }>): Promise<void> {
  const { id, texts } = request;
  if (!waiting.delete(id)) return;
  try {
    const service = await opened;
    const answer = request.type === "predict"
      ? await service.predict(texts)
      : await service.encode(texts, request.options);
    post({ type: "answer", id, answer });
  } catch (error) {
    post({ type: "error", id, message: messageOf(error) });
  }
}

/** Yields to the event loop, so that pending cancel messages are received first. */
const listen = () => new Promise((resolve) => setTimeout(resolve));

addEventListener("message", ({ data: request }: MessageEvent<WorkerRequest>) => {
  if (request.type === "cancel") {
    waiting.delete(request.id);
    return;
  }
  waiting.add(request.id);
  last = last.then(listen).then(() => answer(request));
});
