/**
 * Sends requests to the Hugging Face Hub: the token goes only to the endpoint's host, redirects are followed, and waiting
 * times that the Hub requests are observed.
 * @module
 */

import type { HubSettings } from "@/data/hub_settings.ts";
import type { ProgressView } from "@/progress.ts";

/** Maximum total time that a request waits because the Hub requests it. */
export const MAX_WAIT_MS = 310_000; // the Hub counts requests in windows of 5 minutes

/** Minimum of such a waiting time. */
const MIN_WAIT_MS = 500;

/** Options of a request, except for redirects, which are handled here. */
export type Sent = Omit<RequestInit, "redirect">;

/** Maximum number of consecutive redirects. */
const MAX_REDIRECTS = 10;

/**
 * Sends a request and follows redirects. The token is sent only to the endpoint's host, since large files come from the
 * hosts of a CDN.
 */
export async function sendWithToken(
  { endpoint, token }: HubSettings,
  address: string | URL,
  init: Sent,
): Promise<Response> {
  let url = new URL(address);
  let { method = "GET", body = null } = init;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
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
      throw new Error(
        `Cannot follow ${url.origin}: it redirects to "${place}", which is not a valid URL`,
      );
    }
    if (url.protocol === "https:" && next.protocol === "http:") {
      throw new Error(
        `Cannot follow ${url.origin}: it redirects from https to http (${next.origin}), where ` +
          "others could read and change the request",
      );
    }
    if (response.status < 307 && method === "POST") [method, body] = ["GET", null];
    url = next;
  }
  throw new Error(`Cannot follow ${url.origin}: it redirects more than ${MAX_REDIRECTS} times`);
}

/**
 * Placeholder token for calls of `@huggingface/hub`, which accepts only tokens with the official Hub's prefix.
 * {@link createLibraryFetch} replaces it with the token of the settings.
 */
export const PLACEHOLDER_TOKEN = "hf_token_of_the_settings";

/**
 * The `fetch` for calls of `@huggingface/hub` with {@link PLACEHOLDER_TOKEN}. If a rate limit requests a waiting time, the
 * request is repeated after that time, which `view` shows.
 */
export function createLibraryFetch(settings: HubSettings, view: ProgressView): typeof fetch {
  const send = (input: string | URL | Request, init: RequestInit): Promise<Response> => {
    const given = new Headers(init.headers).get("Authorization");
    if (given !== `Bearer ${PLACEHOLDER_TOKEN}`) return fetch(input, init); // storage hosts have their own credentials
    return sendWithToken(settings, input instanceof Request ? input.url : input, init);
  };
  return async (input, init = {}) => {
    for (let waitedMs = 0;;) {
      const response = await send(input, init);
      const asked = response.status === 429 ? readWaitMs(response.headers) : null;
      waitedMs += Math.max(asked ?? 0, MIN_WAIT_MS);
      const isSpent = init.body instanceof ReadableStream; // a stream cannot be sent again
      if (asked === null || isSpent || waitedMs > MAX_WAIT_MS) return response;
      await response.body?.cancel();
      await wait(
        Math.max(asked, MIN_WAIT_MS),
        `waiting for the rate limit of ${settings.endpoint}, s`,
        view,
      );
    }
  };
}

/**
 * Waiting time that a response requests: `Retry-After` in seconds or as a date, else the reset time of `RateLimit`
 * (https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-09). Null if it requests none.
 */
export function readWaitMs(headers: Headers): number | null {
  const asked = headers.get("Retry-After")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(asked)) return Number(asked) * 1000;
  const date = Date.parse(asked);
  if (!Number.isNaN(date)) {
    const sent = Date.parse(headers.get("Date") ?? ""); // both dates are from the server's clock
    const now = Number.isNaN(sent) ? performance.timeOrigin + performance.now() : sent;
    return Math.max(0, date - now);
  }
  const reset = /;\s*t\s*=\s*(\d+)/.exec(headers.get("RateLimit") ?? "")?.[1];
  return reset === undefined ? null : Number(reset) * 1000;
}

/** Waits and shows the remaining seconds under `label`, if there is one. */
export async function wait(ms: number, label: string | null, view: ProgressView): Promise<void> {
  const total = Math.ceil(ms / 1000);
  for (let left = ms, done = 0; left > 0; left -= 1000, done++) {
    if (label !== null) view.update({ label, done, total });
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, 1000)));
  }
  if (label !== null) view.update({ label, done: total, total });
}
