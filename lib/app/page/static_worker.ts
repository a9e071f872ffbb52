/**
 * The worker of the static page: fetches the model, and answers by it. The page stays quick meanwhile.
 * @module
 */
/// <reference lib="dom" />
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { Health } from "@/app/contract.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import type { RunGraph } from "@/eval/graph_model.ts";
import { createGraphAnswerer, type GraphAnswerer } from "./graph_answerer.ts";
import { fetchFile, fetchJson, STATIC_FILES, type StaticModel } from "./static_files.ts";
import type { Question, Reply } from "./worker_messages.ts";

const MIB = 2 ** 20;

const say = (reply: Reply) => postMessage(reply);
const report = (health: Health) => say({ say: "health", health });
const wordsOf = (error: unknown) => error instanceof Error ? error.message : String(error);

/** Opens a graph over ONNX Runtime's WebAssembly; one thread, as static hosts allow no more. */
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
      `Cannot run the model as the browser must allow WebAssembly with SIMD: it says "${
        wordsOf(error).slice(0, 200)
      }"; try a current browser`,
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

/** Fetches the large files and says how far it is. */
async function fetchLarge({ graph, runtime }: StaticModel["bytes"]) {
  const stop = new AbortController(); // where one fails, nothing more is said of the other
  const { signal } = stop;
  const total = Number(((graph + runtime) / MIB).toFixed(1));
  let done = 0;
  const onBytes = (count: number) => {
    if (signal.aborted) return;
    done += count;
    report({
      status: "starting",
      label: `download of the model, ${total} MiB`,
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

/** Fetches everything, opens it and says how far it is. */
async function openAnswerer(): Promise<GraphAnswerer> {
  if (typeof WebAssembly !== "object") {
    throw new Error(
      "Cannot run the model as the browser must allow WebAssembly: try another browser",
    );
  }
  const { info, bytes } = await fetchJson(STATIC_FILES.model) as StaticModel;
  const tokenizer = tokenizerFromJson(
    await fetchJson(STATIC_FILES.tokenizer),
    await fetchJson(STATIC_FILES.tokenizerConfig),
  );
  const [graph, runtime] = await fetchLarge(bytes);
  report({ status: "starting", label: "start of the model", done: 0, total: 1 });
  const runGraph = await openGraph(graph, runtime);
  const nowMs = () => performance.now();
  const answerer = createGraphAnswerer({ info, tokenizer, runGraph, nowMs });
  report({ status: "ready", model: info });
  return answerer;
}

const opened = openAnswerer();
opened.catch((error) => report({ status: "failed", message: wordsOf(error) }));

const waiting = new Set<number>();
let last: Promise<unknown> = opened.catch(() => {});

/** Answers one question, unless it was given up before its turn came. */
async function answer(question: Exclude<Question, { readonly ask: "cancel" }>): Promise<void> {
  const { id, texts } = question;
  if (!waiting.delete(id)) return;
  try {
    const answerer = await opened;
    const answer = question.ask === "predict"
      ? await answerer.predict(texts)
      : await answerer.encode(texts, question.wish);
    say({ say: "answer", id, answer });
  } catch (error) {
    say({ say: "error", id, message: wordsOf(error) });
  }
}

/** Lets what the page has said meanwhile come in. */
const listen = () => new Promise((resolve) => setTimeout(resolve));

addEventListener("message", ({ data: question }: MessageEvent<Question>) => {
  if (question.ask === "cancel") {
    waiting.delete(question.id);
    return;
  }
  waiting.add(question.id);
  last = last.then(listen).then(() => answer(question));
});
