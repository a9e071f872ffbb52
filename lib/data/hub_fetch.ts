/**
 * Requests to the Hugging Face Hub: the token goes to the endpoint alone, passing faults are tried
 * again, and lasting ones are explained.
 * @module
 */

import { HUB_URL } from "@huggingface/hub";
import type { HubSettings } from "@/data/hub_settings.ts";
import type { ProgressView } from "@/progress.ts";

/** What every request to the Hub needs. */
export type HubRequest = {
  readonly settings: HubSettings;
  /** Name of what is fetched, for errors. */
  readonly what: string;
  /** Shows waits that the Hub asks for. */
  readonly view: ProgressView;
};

/** The Hub cannot be reached or keeps failing; the cache may serve instead. */
export class HubUnreachableError extends Error {
  override readonly name = "HubUnreachableError";
}

/** A fault that may be gone at the next attempt. */
class PassingFault extends Error {
  constructor(
    message: string,
    /** How long the Hub asks to wait; null where it does not say. */
    readonly waitMs: number | null = null,
    /** True if the Hub refuses because of too many requests. */
    readonly isRateLimit: boolean = false,
  ) {
    super(message);
  }
}

/** The longest time that one call of {@link withRetries} waits because the Hub asks for it. */
const LONGEST_WAIT_MS = 310_000; // the Hub counts requests in windows of 5 minutes

/**
 * Runs `attempt`, and again while it fails by a cut connection or an answer of 429 or 5xx: after each of
 * the settings' delays, or after the time that the answer asks to wait.
 */
export async function withRetries<T>(
  { settings: { endpoint, retryDelaysMs, token }, what, view }: HubRequest,
  attempt: () => Promise<T>,
): Promise<T> {
  let waitedMs = 0;
  for (let tries = 0;; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error)) throw error;
      const delay = retryDelaysMs[tries];
      const fault = error instanceof PassingFault ? error : null;
      const asked = fault?.waitMs ?? 0;
      waitedMs += asked;
      if (delay !== undefined && waitedMs <= LONGEST_WAIT_MS) {
        const reason = fault?.isRateLimit
          ? `waiting for the rate limit of ${endpoint}`
          : `${endpoint} asks to wait`;
        await wait(Math.max(delay, asked), asked > 0 ? `${what}: ${reason}, s` : null, view);
        continue;
      }
      const attempts = tries === 0 ? "1 attempt" : `${tries + 1} attempts`;
      const later = asked > 0 ? `in ${Math.ceil(asked / 1000)} s` : "in a few minutes";
      if (fault?.isRateLimit) {
        throw new HubUnreachableError(
          `Cannot fetch ${what}: the rate limit of ${endpoint} is exceeded (${fault.message}, ` +
            `${attempts}). Try again ${later}` +
            (token === null ? ", or set HF_TOKEN: accounts have a higher limit" : ""),
        );
      }
      throw new HubUnreachableError(
        `Cannot fetch ${what}: ${endpoint} failed in ${attempts}, last by ${describeFault(error)}` +
          (asked > 0 ? `. Try again ${later}` : ""),
      );
    }
  }
}

/** Waits; shows the seconds under `label` where there is one. */
async function wait(ms: number, label: string | null, view: ProgressView): Promise<void> {
  const total = Math.ceil(ms / 1000);
  for (let left = ms, done = 0; left > 0; left -= 1000, done++) {
    if (label !== null) view.update({ label, done, total });
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, 1000)));
  }
  if (label !== null) view.update({ label, done: total, total });
}

function isPassing(error: unknown): error is Error {
  // fetch() throws TypeError when a connection cannot be made or breaks, in headers or body
  return error instanceof PassingFault || error instanceof TypeError ||
    error instanceof Deno.errors.Http || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.UnexpectedEof ||
    (error instanceof DOMException && error.name === "TimeoutError");
}

function describeFault(error: Error): string {
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${error.message}${cause}`.replace(/\s+/g, " ").slice(0, 200);
}

/** Throws for a body of the wrong length, so that {@link withRetries} tries again. */
export function reportCut(got: number, wanted: number): never {
  throw new PassingFault(`a body of ${got} in place of ${wanted} bytes`);
}

/**
 * The chunks of a body as they come; a silence of more than `timeoutMs` between them is a fault that
 * {@link withRetries} tries again.
 */
export async function* readChunks(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  timeoutMs: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = body?.getReader();
  try {
    while (reader !== undefined) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new PassingFault(`a silence of more than ${timeoutMs / 1000} s`)),
          timeoutMs,
        );
      });
      const { done, value } = await Promise.race([reader.read(), silence]).finally(() =>
        clearTimeout(timer)
      );
      if (done) return;
      yield value;
    }
  } finally {
    await reader?.cancel().catch(() => {}); // a broken stream has nothing left to give up
  }
}

/** Options of a request; redirects are followed here. */
type Sent = Omit<RequestInit, "redirect">;

/** Redirects in a row that are followed. */
const MOST_REDIRECTS = 10;

/**
 * Sends a request and follows redirects. The token is sent to the endpoint's host and to no
 * other: large files come from the hosts of a CDN.
 */
export async function sendWithToken(
  { endpoint, token }: HubSettings,
  address: string | URL,
  init: Sent,
): Promise<Response> {
  let url = new URL(address);
  let { method = "GET", body = null } = init;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const headers = new Headers(init.headers);
    headers.delete("Authorization");
    if (token !== null && url.origin === new URL(endpoint).origin) {
      headers.set("Authorization", `Bearer ${token}`);
    }
    const response = await fetch(url, { ...init, method, body, headers, redirect: "manual" });
    const place = response.headers.get("Location");
    if (![301, 302, 303, 307, 308].includes(response.status) || place === null) return response;
    await response.body?.cancel();
    const next = URL.parse(place, url);
    if (next === null || !/^https?:$/.test(next.protocol)) {
      throw new Error(`Cannot follow ${url.origin}: it redirects to "${place}", no address`);
    }
    if (url.protocol === "https:" && next.protocol === "http:") {
      throw new Error(
        `Cannot follow ${url.origin}: it redirects from https to http (${next.origin}), where ` +
          "others may read and change what is sent",
      );
    }
    if (response.status < 307 && method === "POST") [method, body] = ["GET", null];
    url = next;
  }
  throw new Error(`Cannot follow ${url.origin}: it redirects more than ${MOST_REDIRECTS} times`);
}

/**
 * Access token for calls of `@huggingface/hub`, which accepts only tokens that begin like those of the
 * official Hub. {@link createLibraryFetch} replaces it by the token of the settings.
 */
export const STAND_IN_TOKEN = "hf_token_of_the_settings";

/** The `fetch` for calls of `@huggingface/hub` with {@link STAND_IN_TOKEN}. */
export function createLibraryFetch(settings: HubSettings): typeof fetch {
  return (input, init = {}) => {
    const given = new Headers(init.headers).get("Authorization");
    if (given !== `Bearer ${STAND_IN_TOKEN}`) return fetch(input, init); // storage hosts have their own credentials
    return sendWithToken(settings, input instanceof Request ? input.url : input, init);
  };
}

/** The response to a request if its status is good; other statuses become errors that say what to do. */
export async function fetchFromHub(
  { settings, what }: HubRequest,
  url: string | URL,
  init: Sent = {},
): Promise<Response> {
  const waiting = new AbortController();
  const timer = setTimeout(
    () => waiting.abort(new DOMException("no answer in time", "TimeoutError")),
    settings.silenceTimeoutMs,
  );
  try {
    const response = await sendWithToken(settings, url, { ...init, signal: waiting.signal });
    if (response.ok) return response;
    await response.body?.cancel();
    throw explainStatus(response, settings, what);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * How long a response asks to wait: `Retry-After` in seconds or as a date, else the reset time of
 * `RateLimit` (https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-09); null
 * where it says nothing.
 */
export function readWaitMs(headers: Headers): number | null {
  const asked = headers.get("Retry-After")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(asked)) return Number(asked) * 1000;
  const date = Date.parse(asked);
  if (!Number.isNaN(date)) {
    const sent = Date.parse(headers.get("Date") ?? ""); // the server's clock, which wrote both
    const now = Number.isNaN(sent) ? performance.timeOrigin + performance.now() : sent;
    return Math.max(0, date - now);
  }
  const reset = /;\s*t\s*=\s*(\d+)/.exec(headers.get("RateLimit") ?? "")?.[1];
  return reset === undefined ? null : Number(reset) * 1000;
}

function explainStatus(response: Response, settings: HubSettings, what: string): Error {
  const { status, headers } = response;
  const { endpoint, token } = settings;
  if (status === 429 || status >= 500) {
    return new PassingFault(`status ${status}`, readWaitMs(headers), status === 429);
  }
  const code = headers.get("X-Error-Code");
  const answer = `Cannot fetch ${what}: ${endpoint} answers with status ${status}`;
  if (code === "GatedRepo") {
    return new Deno.errors.PermissionDenied(
      `${answer}, as the repository is gated. Accept its terms on ${endpoint} and set HF_TOKEN to a ` +
        "token of that account",
    );
  }
  if (status === 401 || status === 403) {
    const strange = token !== null && !token.startsWith("hf_") && endpoint === HUB_URL
      ? '; tokens of this Hub begin with "hf_", and this one does not'
      : "";
    return new Deno.errors.PermissionDenied(
      token === null
        ? `${answer}. Check the name; a private repository needs HF_TOKEN, a token that may read it`
        : `${answer}. Check the name, and that the token in use (HF_TOKEN, else that of ` +
          `\`hf auth login\`) is valid and may read it${strange}`,
    );
  }
  if (status === 404) {
    const missing = code === "EntryNotFound"
      ? "the repository has no such file"
      : code === "RevisionNotFound"
      ? "the repository has no such revision"
      : code === "RepoNotFound"
      ? "there is no such repository"
      : "it is not there";
    return new Deno.errors.NotFound(`${answer}: ${missing}`);
  }
  const said = headers.get("X-Error-Message")?.replace(/\s+/g, " ").slice(0, 200);
  return new Error(said ? `${answer}: ${said}` : answer);
}
