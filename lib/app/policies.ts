/**
 * Content security policies of the page and of the report, and the hosts that the server accepts.
 * @module
 */

const PAGE = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
];

const REPORT = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
];

/** Policy of the page: it may only load its own files and runs no inline code. */
export const PAGE_POLICY = [...PAGE, "frame-ancestors 'none'"].join("; ");

/** Policy of the report, which has inline styles and no scripts and is shown in a frame of the page. */
export const REPORT_POLICY = [...REPORT, "frame-ancestors 'self'", "sandbox"].join("; ");

/**
 * Policy of the static page, which has a worker with WebAssembly. A meta element cannot restrict framing
 * (`frame-ancestors`); only an HTTP header can.
 */
export const STATIC_PAGE_POLICY = [
  ...PAGE.map((rule) => rule.startsWith("script-src") ? `${rule} 'wasm-unsafe-eval'` : rule),
  "worker-src 'self'",
].join("; ");

/** Policy of the static page's report. */
export const STATIC_REPORT_POLICY = REPORT.join("; ");

/** Adds a policy to an HTML page as a meta element, for hosts that send no policy header. */
export function addPolicy(html: string, policy: string): string {
  const tag = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
  const [start = ""] = /^[^]*?<head\b[^>]*>/i.exec(html) ?? /^\s*<!doctype[^>]*>/i.exec(html) ?? [];
  return start + tag + html.slice(start.length);
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Hosts that a server at `hostname` accepts, in the normalized form of URLs. Returns null if any host is accepted,
 * which is the case for servers that other machines can reach.
 *
 * This protects against DNS rebinding: a foreign web page can let its own host name resolve to 127.0.0.1, and a browser then
 * treats requests to this server as same-origin. Such requests still carry the foreign name in their Host header, so a
 * server on a loopback address only accepts known hosts.
 */
export function findAllowedHosts(hostname: string): readonly string[] | null {
  const host = hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
  const url = URL.parse(`http://${host}`)?.hostname ?? host; // normalized, for example [0:0:0:0:0:0:0:1] to [::1]
  const isLoopback = LOOPBACK.includes(url) || /^127\.\d+\.\d+\.\d+$/.test(url);
  return isLoopback ? [...new Set([...LOOPBACK, url])] : null;
}
