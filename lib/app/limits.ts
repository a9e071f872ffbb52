/**
 * Bounds of what the demo page's server takes on, in one place: the server holds to them, its OpenAPI
 * document tells them, the page shows them.
 * @module
 */

/** Most that a request may ask for, and longest that it may take. */
export const LIMITS = {
  bodyBytes: 256 * 1024, // 32 texts of 4,000 letters and their escapes
  texts: 32, // two batches
  characters: 4_000, // of a text, as UTF-16 units: some 1,000 word pieces, beyond every model's limit
  waiting: 2_048, // texts in the queue; more are refused at once, which is better than late
  requestMs: 30_000,
  stopMs: 10_000, // for requests that are under way when the server stops
} as const;
