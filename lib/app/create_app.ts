/**
 * The routes of the demo page: its files, reports and cards of runs, and the API. Every refusal has a status and
 * a JSON body that says why.
 * @module
 */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { convertOffsets } from "@/eval/offsets.ts";
import type {
  EncodeAnswer,
  ErrorAnswer,
  Health,
  ModelInfo,
  PredictAnswer,
  RunsAnswer,
} from "./contract.ts";
import { findOwnHosts } from "./own_hosts.ts";
import { LIMITS } from "./limits.ts";
import { describeApi } from "./openapi.ts";
import type { PageFile } from "./page_files.ts";
import {
  BadRequestError,
  checkTasks,
  readEncodeRequest,
  readJsonBytes,
  readPredictRequest,
  readRunName,
} from "./read_request.ts";
import { BrokenRunError, type RunLibrary, UnknownRunError } from "./run_library.ts";
import type { ServedRun } from "./served_run.ts";
import { PAGE_POLICY, REPORT_POLICY } from "./policies.ts";
import { QueueFullError } from "./waiting_room.ts";

/** State of a server. */
export type AppState = {
  /** The default run; null until its model is open. */
  run: ServedRun | null;
  /** Progress of the preparation while there is no run. */
  waiting: Exclude<Health, { readonly status: "ready" }>;
  /** All runs that requests may name. */
  runs: RunLibrary<ServedRun>;
};

/** What routes need. */
export type AppOptions = {
  readonly state: AppState;
  /** By path, such as `/` and `/main.js`. */
  readonly files: ReadonlyMap<string, PageFile>;
  readonly nowMs: () => number;
  readonly requestMs?: number;
  /** Where it listens: at a loopback address, requests that name another host are refused. */
  readonly hostname?: string;
  /** Told of what is answered with 500, whose answer says no more than that. */
  readonly onFault?: (error: Error) => void;
};

type Code = ErrorAnswer["error"]["code"];

const STATUS = {
  bad_request: 400,
  wrong_host: 403,
  not_found: 404,
  method_not_allowed: 405,
  too_large: 413,
  not_json: 415,
  unsupported_encoding: 415,
  internal: 500,
  overloaded: 503,
  not_ready: 503,
  timed_out: 504,
} as const satisfies Record<Code, number>;

/** Seconds after which a request that is refused for now may be repeated. */
const RETRY_AFTER = "1";

const CLIENT_GONE = 499; // nginx's number for it; nobody sees it

function refuse(c: Context, code: Code, message: string): Response {
  const answer: ErrorAnswer = { error: { code, message } };
  if (STATUS[code] === 503) c.header("Retry-After", RETRY_AFTER);
  return c.json(answer, STATUS[code]);
}

/** The refusal while there is no model. */
class NotReadyError extends Error {
  override readonly name = "NotReadyError";
}

/** The end of a request whose client has left, so that nobody reads an answer. */
class ClientGoneError extends Error {
  override readonly name = "ClientGoneError";
}

function leaveWithinBody(cause: unknown): never {
  throw new ClientGoneError("internal: the client has gone within its body", { cause });
}

/** The JSON of a body; a body that is not JSON in UTF-8 is refused. */
async function readJsonBody(c: Context): Promise<unknown> {
  const bytes = new Uint8Array(await c.req.arrayBuffer().catch(leaveWithinBody));
  return readJsonBytes(bytes);
}

/** Numbers as float32 holds them, in few digits. */
function shorten(vector: Float32Array): readonly number[] {
  return Array.from(vector, (x) => Number(x.toPrecision(9)));
}

/** The application; `fetch` of it is what a server calls. */
export function createApp(options: AppOptions): Hono {
  const { state, files, nowMs, requestMs = LIMITS.requestMs, hostname, onFault = () => {} } =
    options;
  const hosts = hostname === undefined ? null : findOwnHosts(hostname);
  const app = new Hono();
  /** Does `work` with the run of that name; null: the default one. */
  const withRun = <T>(name: string | null, work: (run: ServedRun) => Promise<T>): Promise<T> => {
    if (state.run === null) {
      throw new NotReadyError(
        state.waiting.status === "failed"
          ? state.waiting.message
          : "Cannot answer yet as the model is being prepared: ask /api/health how far it is",
      );
    }
    const isDefault = name === null || name === state.run.service.info.run;
    return isDefault ? work(state.run) : state.runs.use(name, work);
  };

  app.use(async (c, next) => {
    await next();
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "no-referrer");
    c.header("Cross-Origin-Resource-Policy", "same-origin");
    if (!c.res.headers.has("Content-Security-Policy")) {
      c.header("Content-Security-Policy", PAGE_POLICY);
    }
    if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
  });
  app.use(async (c, next) => {
    const host = URL.parse(c.req.url)?.hostname ?? c.req.header("Host") ?? "";
    if (hosts === null || hosts.includes(host)) return await next();
    return refuse(
      c,
      "wrong_host",
      `Cannot answer as Host must be one of ${hosts.join(", ")}: it is ${host.slice(0, 100)}`,
    );
  });
  const limitBody = bodyLimit({
    maxSize: LIMITS.bodyBytes,
    onError: (c) =>
      refuse(c, "too_large", `Cannot read body as it must have at most ${LIMITS.bodyBytes} bytes`),
  });
  app.use("/api/*", (c, next) => limitBody(c, next).catch(leaveWithinBody)); // may read it itself
  app.onError((error, c) => {
    if (error instanceof BadRequestError) return refuse(c, "bad_request", error.message);
    if (error instanceof UnknownRunError) return refuse(c, "not_found", error.message);
    if (error instanceof NotReadyError) return refuse(c, "not_ready", error.message);
    if (error instanceof QueueFullError) return refuse(c, "overloaded", error.message);
    if (error instanceof ClientGoneError) {
      return new Response(null, { status: CLIENT_GONE });
    }
    if (error.name === "TimeoutError") {
      const isLong = Number(c.req.header("Content-Length")) > LIMITS.batchCharacters;
      return refuse(
        c,
        "timed_out",
        `Cannot answer as it must take at most ${requestMs / 1000} s: try again in a moment` +
          (isLong ? ", or with fewer or shorter texts" : ""),
      );
    }
    if (error instanceof BrokenRunError) {
      onFault(error.cause instanceof Error ? error.cause : error);
      return refuse(c, "internal", error.message);
    }
    onFault(error);
    return refuse(c, "internal", "Cannot answer as something went wrong inside: see the terminal");
  });
  app.notFound((c) => refuse(c, "not_found", `Cannot find ${c.req.path.slice(0, 100)}`));

  /** Refuses what `path` is asked by other methods; to be called after its route. */
  const allowOnly = (path: string, method: "GET" | "POST") =>
    app.all(path, (c) => {
      c.header("Allow", method === "GET" ? "GET, HEAD" : method);
      return refuse(c, "method_not_allowed", `Cannot ${c.req.method} ${path}: it takes ${method}`);
    });

  /** A route that takes JSON and has `requestMs` to answer. */
  const post = (
    path: string,
    answer: (body: unknown, signal: AbortSignal) => Promise<PredictAnswer | EncodeAnswer>,
  ) => {
    app.post(path, async (c) => {
      const type = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
      if (type !== "application/json") {
        return refuse(c, "not_json", "Cannot read body as Content-Type must be application/json");
      }
      const coding = c.req.header("Content-Encoding")?.trim().toLowerCase() ?? "";
      if (coding !== "" && coding !== "identity") {
        return refuse(
          c,
          "unsupported_encoding",
          `Cannot read body as Content-Encoding must be identity: it is ${coding.slice(0, 40)}; ` +
            "send the body uncompressed",
        );
      }
      // Deno 2.9.6 tells that a client has gone once its answer has begun, and no sooner
      const client = c.req.raw.signal;
      const ended = new AbortController(); // ends the work when nobody needs it any more
      const failed = Promise.withResolvers<never>();
      failed.promise.catch(() => {}); // the race may be over before
      const fail = (reason: unknown) => {
        ended.abort(reason);
        failed.reject(reason);
      };
      const leave = () => fail(new ClientGoneError("internal: the client has gone"));
      // not AbortSignal.timeout, which would outlive the answer
      const late = new DOMException("internal: too late", "TimeoutError");
      const timer = setTimeout(() => fail(late), requestMs);
      client.addEventListener("abort", leave);
      if (client.aborted) leave();
      try {
        const work = readJsonBody(c).then((body) => answer(body, ended.signal));
        work.catch(() => {});
        return c.json(await Promise.race([work, failed.promise]));
      } finally {
        clearTimeout(timer);
        client.removeEventListener("abort", leave);
        ended.abort();
      }
    });
    allowOnly(path, "POST");
  };
  post("/api/predict", (body, signal) => {
    const startMs = nowMs();
    return withRun(readRunName(body), async ({ service }) => {
      checkTasks(service.info);
      const { texts, offsets } = readPredictRequest(body);
      const found = await service.predict(texts, signal);
      const predictions = found.map((each) => convertOffsets(each, offsets));
      return { predictions, tookMs: nowMs() - startMs };
    });
  });
  post("/api/encode", (body, signal) => {
    const startMs = nowMs();
    return withRun(readRunName(body), async ({ service }) => {
      const { texts, choice } = readEncodeRequest(body, service.info);
      const vectors = await service.encode(texts, choice, signal);
      return { ...choice, embeddings: vectors.map(shorten), tookMs: nowMs() - startMs };
    });
  });

  const readHealth = (): Health =>
    state.run === null ? state.waiting : { status: "ready", model: state.run.service.info };
  for (const path of ["/api/health", "/api/health/ready"]) {
    app.get(path, (c) => {
      const health = readHealth();
      if (health.status === "starting") c.header("Retry-After", RETRY_AFTER);
      return c.json(health, health.status === "ready" ? 200 : 503);
    });
  }
  app.get("/api/health/live", (c) => c.json(readHealth()));
  app.get("/api/runs", (c) =>
    withRun(null, async () => {
      const answer: RunsAnswer = { runs: await state.runs.names() };
      return c.json(answer);
    }));
  app.get("/api/model", (c) =>
    withRun(c.req.query("run") ?? null, ({ service }) => {
      const answer: ModelInfo = service.info;
      return Promise.resolve(c.json(answer));
    }));
  app.get("/api/openapi.json", (c) => c.json(describeApi()));
  const apiPaths = ["health", "health/ready", "health/live", "runs", "model", "openapi.json"];
  for (const path of apiPaths) allowOnly(`/api/${path}`, "GET");
  for (const kind of ["report", "card"] as const) {
    app.get(`/${kind}.html`, (c) =>
      withRun(c.req.query("run") ?? null, (run) => {
        const html = run[kind];
        if (html === null) {
          return Promise.resolve(refuse(c, "not_found", `This run has no ${kind}`));
        }
        c.header("Content-Security-Policy", REPORT_POLICY);
        return Promise.resolve(c.html(html));
      }));
  }
  for (const [path, { type, body }] of files) {
    app.get(path, (c) => c.body(body, 200, { "Content-Type": type, "Cache-Control": "no-cache" }));
  }
  return app;
}
