/**
 * Content security policies: what the page and the report may load and run.
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

/** Of the page: its own files, nothing inline, nothing from elsewhere. */
export const PAGE_POLICY = [...PAGE, "frame-ancestors 'none'"].join("; ");

/** Of the report, which has its style inside and runs nothing; shown in a frame of the page. */
export const REPORT_POLICY = [...REPORT, "frame-ancestors 'self'", "sandbox"].join("; ");

/** Of the static page, which has a worker with WebAssembly; who may frame it, only a server can say. */
export const STATIC_PAGE_POLICY = [
  ...PAGE.map((rule) => rule.startsWith("script-src") ? `${rule} 'wasm-unsafe-eval'` : rule),
  "worker-src 'self'",
].join("; ");

/** Of the static page's report. */
export const STATIC_REPORT_POLICY = REPORT.join("; ");

/** An HTML page that says its policy itself, for hosts that say none. */
export function addPolicy(html: string, policy: string): string {
  const tag = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
  const [start = ""] = /^[^]*?<head\b[^>]*>/i.exec(html) ?? /^\s*<!doctype[^>]*>/i.exec(html) ?? [];
  return start + tag + html.slice(start.length);
}
