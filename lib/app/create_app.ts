/**
 * HTTP routes of the demo page: static files, reports and model cards of runs, and the API. Every error response
 * has a status code and a JSON body with the reason.
 * @module
 */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { convertOffsets } from "@/eval/offsets.ts";
import {
  type EncodeAnswer,
  type ErrorAnswer,
  type Health,
  LIMITS,
  type ModelInfo,
  type PredictAnswer,
  type RunsAnswer,
} from "./contract.ts";
import { findAllowedHosts, PAGE_POLICY, REPORT_POLICY } from "./policies.ts";
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
import { BrokenRunError, type RunCache, type ServedRun, UnknownRunError } from "./run_cache.ts";
import { QueueFullError } from "./engine_queue.ts";

/** State of the server. */
export type AppState = {
  /** Default run; null until its model is open. */
  run: ServedRun | null;
  /** Start-up progress, reported while `run` is null. */
  waiting: Exclude<Health, { readonly status: "ready" }>;
  /** All runs that requests can name. */
  runs: RunCache<ServedRun>;
};

/** Options of {@link createApp}. */
type AppOptions = {
  readonly state: AppState;
  /** Files of the page by path, such as `/` and `/main.js`. */
  readonly files: ReadonlyMap<string, PageFile>;
  readonly nowMs: () => number;
  readonly requestMs?: number;
  /** Address that the server listens at; if it is a loopback address, requests for other hosts are rejected. */
  readonly hostname?: string;
  /** Called with each error that is answered with status 500, since the response does not include details. */
  readonly onInternalError?: (error: Error) => void;
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

/** Seconds until a client may retry after status 503. */
const RETRY_AFTER = "1";

const CLIENT_GONE = 499; // as in nginx; the client does not see it

function reject(c: Context, code: Code, message: string): Response {
  const answer: ErrorAnswer = { error: { code, message } };
  if (STATUS[code] === 503) c.header("Retry-After", RETRY_AFTER);
  return c.json(answer, STATUS[code]);
}

/** Thrown while no model is open. */
class NotReadyError extends Error {
  override readonly name = "NotReadyError";
}

/** Thrown when the client has disconnected, so that nobody reads the response. */
class ClientGoneError extends Error {
  override readonly name = "ClientGoneError";
}

function throwClientGone(cause: unknown): never {
  throw new ClientGoneError("internal: the client disconnected while sending the body", { cause });
}

/** Parses the body as JSON in UTF-8; throws if it is neither. */
async function readJsonBody(c: Context): Promise<unknown> {
  const bytes = new Uint8Array(await c.req.arrayBuffer().catch(throwClientGone));
  return readJsonBytes(bytes);
}

/** Float32 values in as few decimal digits as restore them exactly. */
function shorten(vector: Float32Array): readonly number[] {
  return Array.from(vector, (x) => Number(x.toPrecision(9)));
}

/** Creates the application; a server calls its `fetch` method. */
export function createApp(options: AppOptions): Hono {
  const {
    state,
    files,
    nowMs,
    requestMs = LIMITS.requestMs,
    hostname,
    onInternalError = () => {},
  } = options;
  const hosts = hostname === undefined ? null : findAllowedHosts(hostname);
  const app = new Hono();
  /** Calls `work` with the run of that name, or with the default run if `name` is null. */
  const withRun = <T>(name: string | null, work: (run: ServedRun) => Promise<T>): Promise<T> => {
    if (state.run === null) {
      throw new NotReadyError(
        state.waiting.status === "failed"
          ? state.waiting.message
          : "The model is not ready yet: /api/health reports its progress",
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
    return reject(
      c,
      "wrong_host",
      `Host ${host.slice(0, 100)} is not allowed: this server accepts ${hosts.join(", ")}`,
    );
  });
  const limitBody = bodyLimit({
    maxSize: LIMITS.bodyBytes,
    onError: (c) =>
      reject(
        c,
        "too_large",
        `The body is too large: at most ${LIMITS.bodyBytes} bytes are allowed`,
      ),
  });
  app.use("/api/*", (c, next) => limitBody(c, next).catch(throwClientGone)); // bodyLimit may read the body itself
  app.onError((error, c) => {
    if (error instanceof BadRequestError) return reject(c, "bad_request", error.message);
    if (error instanceof UnknownRunError) return reject(c, "not_found", error.message);
    if (error instanceof NotReadyError) return reject(c, "not_ready", error.message);
    if (error instanceof QueueFullError) return reject(c, "overloaded", error.message);
    if (error instanceof ClientGoneError) return new Response(null, { status: CLIENT_GONE });
    if (error.name === "TimeoutError") {
      const isLong = Number(c.req.header("Content-Length")) > LIMITS.batchCharacters;
      return reject(
        c,
        "timed_out",
        `No answer within ${requestMs / 1000} s: try again in a moment` +
          (isLong ? ", or with fewer or shorter texts" : ""),
      );
    }
    if (error instanceof BrokenRunError) {
      onInternalError(error.cause instanceof Error ? error.cause : error);
      return reject(c, "internal", error.message);
    }
    onInternalError(error);
    return reject(c, "internal", "Internal error: see the server's terminal");
  });
  app.notFound((c) => reject(c, "not_found", `Not found: ${c.req.path.slice(0, 100)}`));

  /** Rejects all other methods on `path`; call it after the route is registered. */
  const allowOnly = (path: string, method: "GET" | "POST") =>
    app.all(path, (c) => {
      c.header("Allow", method === "GET" ? "GET, HEAD" : method);
      return reject(
        c,
        "method_not_allowed",
        `${c.req.method} is not allowed for ${path}: use ${method}`,
      );
    });

  /** Registers a route that accepts JSON and responds within `requestMs`. */
  const post = (
    path: string,
    answer: (body: unknown, signal: AbortSignal) => Promise<PredictAnswer | EncodeAnswer>,
  ) => {
    app.post(path, async (c) => {
      const type = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
      if (type !== "application/json") {
        return reject(c, "not_json", "Content-Type must be application/json");
      }
      const coding = c.req.header("Content-Encoding")?.trim().toLowerCase() ?? "";
      if (coding !== "" && coding !== "identity") {
        return reject(
          c,
          "unsupported_encoding",
          `Content-Encoding ${coding.slice(0, 40)} is not supported: send the body uncompressed`,
        );
      }
      // Deno 2.9.6 reports that the client has disconnected only once the response has started
      const client = c.req.raw.signal;
      const ended = new AbortController(); // cancels the work when nobody needs the result
      const failed = Promise.withResolvers<never>();
      failed.promise.catch(() => {}); // avoids an unhandled rejection if the race is already over
      const fail = (reason: unknown) => {
        ended.abort(reason);
        failed.reject(reason);
      };
      const leave = () => fail(new ClientGoneError("internal: the client disconnected"));
      // not AbortSignal.timeout, whose timer would stay alive after the response
      const late = new DOMException("internal: request timed out", "TimeoutError");
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
          return Promise.resolve(reject(c, "not_found", `This run has no ${kind}`));
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
