/**
 * Requests to the Hugging Face Hub. Transient failures are retried; permanent ones are explained.
 * @module
 */

import { HUB_URL } from "@huggingface/hub";
import { MAX_WAIT_MS, readWaitMs, sendWithToken, type Sent, wait } from "@/data/hub_send.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import type { ProgressView } from "@/progress.ts";

/** Options of every request to the Hub. */
export type HubRequest = {
  readonly settings: HubSettings;
  /** Name of the requested item, for errors. */
  readonly what: string;
  /** Shows waiting times that the Hub requests. */
  readonly view: ProgressView;
};

/** The Hub cannot be reached or keeps failing; callers may fall back to the cache. */
export class HubUnreachableError extends Error {
  override readonly name = "HubUnreachableError";
}

/** A failure that the next attempt may not have. */
class TransientError extends Error {
  constructor(
    message: string,
    /** Waiting time that the Hub requests; null if it requests none. */
    readonly waitMs: number | null = null,
    /** True if the Hub rejects the request because of too many requests. */
    readonly isRateLimit: boolean = false,
  ) {
    super(message);
  }
}

/**
 * Runs `attempt`, and retries it after a broken connection or a response with status 429 or 5xx. It waits for the delay
 * in the settings, or as long as the response requests.
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
      if (!isTransient(error)) throw error;
      const delay = retryDelaysMs[tries];
      const fault = error instanceof TransientError ? error : null;
      const asked = fault?.waitMs ?? 0;
      waitedMs += asked;
      if (delay !== undefined && waitedMs <= MAX_WAIT_MS) {
        const reason = fault?.isRateLimit
          ? `waiting for the rate limit of ${endpoint}`
          : `waiting as requested by ${endpoint}`;
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
        `Cannot fetch ${what}: ${endpoint} failed in ${attempts}, most recently with ${
          describeFault(error)
        }` +
          (asked > 0 ? `. Try again ${later}` : ""),
      );
    }
  }
}

function isTransient(error: unknown): error is Error {
  // fetch() throws TypeError if a connection fails or breaks, in headers or body
  return error instanceof TransientError || error instanceof TypeError ||
    error instanceof Deno.errors.Http || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.UnexpectedEof ||
    (error instanceof DOMException && error.name === "TimeoutError");
}

function describeFault(error: Error): string {
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${error.message}${cause}`.replace(/\s+/g, " ").slice(0, 200);
}

/** Throws an error for a body of the wrong length, which {@link withRetries} retries. */
export function reportCut(got: number, wanted: number): never {
  throw new TransientError(`a body of ${got} instead of ${wanted} bytes`);
}

/** Yields the chunks of a body. After a silence of `timeoutMs` it throws an error that {@link withRetries} retries. */
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
          () => reject(new TransientError(`a silence of more than ${timeoutMs / 1000} s`)),
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
    await reader?.cancel().catch(() => {}); // cancelling a broken stream fails
  }
}

/** Returns the response to a request if its status is good; else throws an error that says what to do. */
export async function fetchFromHub(
  { settings, what }: HubRequest,
  url: string | URL,
  init: Sent = {},
): Promise<Response> {
  const waiting = new AbortController();
  const timer = setTimeout(
    () => waiting.abort(new DOMException("no response in time", "TimeoutError")),
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

function explainStatus(response: Response, settings: HubSettings, what: string): Error {
  const { status, headers } = response;
  const { endpoint, token } = settings;
  if (status === 429 || status >= 500) {
    return new TransientError(`status ${status}`, readWaitMs(headers), status === 429);
  }
  const code = headers.get("X-Error-Code");
  const answer = `Cannot fetch ${what}: ${endpoint} returned status ${status}`;
  if (code === "GatedRepo") {
    return new Deno.errors.PermissionDenied(
      `${answer}, as the repository is gated. Accept its terms on ${endpoint} and set HF_TOKEN to a ` +
        "token of that account",
    );
  }
  if (status === 401 || status === 403) {
    const strange = token !== null && !token.startsWith("hf_") && endpoint === HUB_URL
      ? '; tokens of this Hub begin with "hf_", but this one does not'
      : "";
    return new Deno.errors.PermissionDenied(
      token === null
        ? `${answer}. Check the name; for a private repository, set HF_TOKEN to a token with read access`
        : `${answer}. Check the name, and that the token in use (HF_TOKEN, else that of ` +
          `\`hf auth login\`) is valid and has read access${strange}`,
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
