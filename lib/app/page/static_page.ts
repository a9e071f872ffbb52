/**
 * The page that needs no server but for its files: a worker of its own has the model.
 * @module
 */
/// <reference lib="dom" />
import type { EncodeAnswer, Health, ModelInfo, PredictAnswer } from "@/app/contract.ts";
import type { Answerer } from "./answerer.ts";
import { startPage } from "./start_page.ts";
import { STATIC_FILES } from "./static_files.ts";
import type { Question, Reply } from "./worker_messages.ts";

type Answer = PredictAnswer | EncodeAnswer;

/** An answerer that asks a worker. */
function askWorker(worker: Worker): Answerer {
  const open = new Map<number, PromiseWithResolvers<Answer>>();
  let health: Health = { status: "starting", label: "start", done: 0, total: 1 };
  let asked = 0;
  const fail = (message: string) => {
    health = { status: "failed", message };
    open.forEach(({ reject }) => reject(new Error(message)));
    open.clear();
  };
  worker.addEventListener("message", ({ data: reply }: MessageEvent<Reply>) => {
    if (reply.say === "health") {
      health = reply.health;
      return;
    }
    const waiting = open.get(reply.id);
    open.delete(reply.id);
    if (reply.say === "answer") waiting?.resolve(reply.answer);
    else waiting?.reject(new Error(reply.message));
  });
  worker.addEventListener("error", () => {
    fail(
      `Cannot run the model as the browser must load ${STATIC_FILES.worker} from beside the page: ` +
        "reload the page to try again",
    );
  });
  const send = (question: Question) => worker.postMessage(question);
  /** Sends what `ask` makes of the question's number, and waits for the answer. */
  const ask = async <A extends Answer>(
    make: (id: number) => Question,
    isWanted: (answer: Answer) => answer is A,
    signal: AbortSignal,
  ): Promise<A> => {
    const id = asked++;
    const result = Promise.withResolvers<Answer>();
    open.set(id, result);
    const giveUp = () => {
      open.delete(id);
      send({ id, ask: "cancel" });
      result.reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    send(make(id));
    try {
      const answer = await result.promise;
      if (isWanted(answer)) return answer;
      throw new TypeError("internal: the worker answers another question");
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  };
  const modelOf = (): ModelInfo => {
    if (health.status === "ready") return health.model;
    throw new TypeError("internal: the model is asked for before it is ready");
  };
  return {
    health: () => Promise.resolve(health),
    runs: () => Promise.resolve([modelOf().run]),
    open: () => Promise.resolve(modelOf()),
    predict: (texts, { signal }) =>
      ask((id) => ({ id, ask: "predict", texts }), (a) => "predictions" in a, signal),
    encode: (texts, { pooling, normalize, signal }) =>
      ask(
        (id) => ({ id, ask: "encode", texts, wish: { pooling, normalize } }),
        (a) => "embeddings" in a,
        signal,
      ),
  };
}

await startPage(askWorker(new Worker(STATIC_FILES.worker, { type: "module" })), {
  fileOf: (kind) => STATIC_FILES[kind],
  computed: "in this page, with eight-bit weights",
  api: null,
});
