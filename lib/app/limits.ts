/**
 * Limits of the demo page's server, in one place: the server enforces them, the OpenAPI document states them and the
 * page shows them.
 * @module
 */

/*
 * Cost per character: two cores process 51.8 texts of AG News per second (README, "Served"). A text has about 240
 * characters, so this is 12,400 characters per second. Long texts cost about the same per character: the windows
 * used for entities overlap by half, but classification only reads the beginning.
 */

/** Limits of a request, of the queue and of the server's shutdown. */
export const LIMITS = {
  bodyBytes: 256 * 1024, // 32 texts of 4,000 letters, with escapes
  texts: 32, // two batches
  characters: 4_000, // per text, in UTF-16 code units: about 1,000 tokens, more than any model accepts
  batchCharacters: 16_000, // other requests wait 1.3 s at most; 4 of the longest texts, 16 of AG News
  waiting: 2_048, // pending texts; further ones are rejected at once rather than answered too late
  waitingCharacters: 250_000, // pending characters: 20 s of work, which leaves slower machines the rest of `requestMs`
  requestMs: 30_000,
  stopMs: 10_000, // grace period for running requests when the server stops
} as const;
