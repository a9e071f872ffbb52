/**
 * Entry point of the static page, which needs no API server: a worker runs the model in the browser.
 * @module
 */
/// <reference lib="dom" />
import type { EncodeAnswer, Health, ModelInfo, PredictAnswer } from "@/app/contract.ts";
import type { ModelClient, WorkerMessage, WorkerRequest } from "./model_client.ts";
import { startPage } from "./start_page.ts";
import { STATIC_FILES } from "./static_files.ts";

type Answer = PredictAnswer | EncodeAnswer;

/** Creates a client that sends its requests to a worker. */
function createWorkerClient(worker: Worker): ModelClient {
  const open = new Map<number, PromiseWithResolvers<Answer>>();
  let health: Health = { status: "starting", label: "starting", done: 0, total: 1 };
  let nextId = 0;
  const fail = (message: string) => {
    health = { status: "failed", message };
    open.forEach(({ reject }) => reject(new Error(message)));
    open.clear();
  };
  worker.addEventListener("message", ({ data: message }: MessageEvent<WorkerMessage>) => {
    if (message.type === "health") {
      health = message.health;
      return;
    }
    const waiting = open.get(message.id);
    open.delete(message.id);
    if (message.type === "answer") waiting?.resolve(message.answer);
    else waiting?.reject(new Error(message.message));
  });
  worker.addEventListener("error", () => {
    fail(
      `Cannot run the model: ${STATIC_FILES.worker} failed to load; reload the page to try again`,
    );
  });
  const send = (request: WorkerRequest) => worker.postMessage(request);
  /** Sends the request that `make` returns for the next id, and waits for its response. */
  const request = async <A extends Answer>(
    make: (id: number) => WorkerRequest,
    isWanted: (answer: Answer) => answer is A,
    signal: AbortSignal,
  ): Promise<A> => {
    const id = nextId++;
    const result = Promise.withResolvers<Answer>();
    open.set(id, result);
    const cancel = () => {
      open.delete(id);
      send({ id, type: "cancel" });
      result.reject(signal.reason);
    };
    signal.addEventListener("abort", cancel, { once: true });
    send(make(id));
    try {
      const answer = await result.promise;
      if (isWanted(answer)) return answer;
      throw new TypeError("internal: the worker's answer belongs to another request");
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  };
  const modelOf = (): ModelInfo => {
    if (health.status === "ready") return health.model;
    throw new TypeError("internal: the model is requested before it is ready");
  };
  return {
    health: () => Promise.resolve(health),
    runs: () => Promise.resolve([modelOf().run]),
    open: () => Promise.resolve(modelOf()),
    predict: (texts, { signal }) =>
      request((id) => ({ id, type: "predict", texts }), (a) => "predictions" in a, signal),
    encode: (texts, { pooling, normalize, signal }) =>
      request(
        (id) => ({ id, type: "encode", texts, options: { pooling, normalize } }),
        (a) => "embeddings" in a,
        signal,
      ),
  };
}

await startPage(createWorkerClient(new Worker(STATIC_FILES.worker, { type: "module" })), {
  fileOf: (kind) => STATIC_FILES[kind],
  computed: "in this page, with eight-bit weights",
  api: null,
});
