/**
 * Requests to the Hugging Face Hub: repeated after faults that pass, explained after those that stay.
 * @module
 */

import type { HubSettings } from "@/data/hub_settings.ts";

/** The Hub could not be reached, or kept failing: what is in the cache may serve instead. */
export class HubUnreachableError extends Error {
  override readonly name = "HubUnreachableError";
}

/** Something that goes wrong on the way and may go right the next time. */
class PassingFault extends Error {}

/**
 * Runs `attempt`, again after each of the settings' delays while it fails by a cut connection or by an
 * answer of 429 or 5xx.
 *
 * @param what names what is fetched, for the error.
 */
export async function withRetries<T>(
  { endpoint, retryDelaysMs }: HubSettings,
  what: string,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 0;; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error)) throw error;
      const delay = retryDelaysMs[tries];
      if (delay === undefined) {
        throw new HubUnreachableError(
          `Cannot fetch ${what} as ${endpoint} must answer: ${
            tries + 1
          } attempts failed, the last by ${describeFault(error)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
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

/** Marks a body that ended early, so that {@link withRetries} tries again. */
export function reportCut(got: number, wanted: number): never {
  throw new PassingFault(`a body of ${got} in place of ${wanted} bytes`);
}

/**
 * The chunks of a body as they come; a silence of more than `timeoutMs` between them is a fault that
 * {@link withRetries} tries again.
 */
export async function* readChunks(
  body: ReadableStream<Uint8Array> | null,
  timeoutMs: number,
): AsyncGenerator<Uint8Array> {
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

/**
 * A `fetch` for one repository whose answers are good ones: others become errors that say what to do.
 *
 * @param subject names the repository and file in errors.
 */
export function fetchFrom(settings: HubSettings, subject: string): typeof fetch {
  return async (input, init) => {
    const waiting = new AbortController();
    const timer = setTimeout(
      () => waiting.abort(new DOMException("no answer in time", "TimeoutError")),
      settings.silenceTimeoutMs,
    );
    try {
      const response = await fetch(input, { ...init, signal: waiting.signal });
      if (response.ok) return response;
      await response.body?.cancel();
      throw explainStatus(response, settings, subject);
    } finally {
      clearTimeout(timer);
    }
  };
}

function explainStatus(response: Response, settings: HubSettings, subject: string): Error {
  const { status, headers } = response;
  const { endpoint, token } = settings;
  if (status === 429 || status >= 500) return new PassingFault(`status ${status}`);
  const code = headers.get("X-Error-Code");
  if (code === "GatedRepo") {
    return new Deno.errors.PermissionDenied(
      `Cannot fetch ${subject} as its terms must be accepted on ${endpoint} and HF_TOKEN set to a token of that account: status ${status}`,
    );
  }
  if (status === 401 || status === 403) {
    return new Deno.errors.PermissionDenied(
      token === null
        ? `Cannot fetch ${subject} as it must exist and be public, or HF_TOKEN be set to a token that may read it: status ${status} from ${endpoint}`
        : `Cannot fetch ${subject} as it must exist and HF_TOKEN be a token that may read it: status ${status} from ${endpoint}`,
    );
  }
  if (status === 404) {
    const missing = code === "EntryNotFound"
      ? "the repository has no such file"
      : code === "RevisionNotFound"
      ? "the repository has no such revision"
      : "status 404";
    return new Deno.errors.NotFound(
      `Cannot fetch ${subject} as it must exist on ${endpoint}: ${missing}`,
    );
  }
  return new Error(
    `Cannot fetch ${subject} as ${endpoint} must accept the request: status ${status}`,
  );
}
