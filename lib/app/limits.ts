/**
 * Bounds of what the demo page's server takes on, in one place: the server holds to them, its OpenAPI
 * document tells them, the page shows them.
 * @module
 */

/*
 * What characters cost: two cores read 51.8 texts of AG News a second, of some 240 characters each
 * (README, "Served"), so 12,400 characters a second. A long text costs about as much a character: the
 * windows that its entities are read through overlap by half, its topic is read from its beginning alone.
 */

/** Most that a request may ask for, and longest that it may take. */
export const LIMITS = {
  bodyBytes: 256 * 1024, // 32 texts of 4,000 letters and their escapes
  texts: 32, // two batches
  characters: 4_000, // of a text, as UTF-16 units: some 1,000 word pieces, beyond every model's limit
  batchCharacters: 16_000, // 1.3 s that others wait for at most; 4 of the longest texts, 16 of AG News
  waiting: 2_048, // texts that are not answered yet; more are refused at once, which is better than late
  waitingCharacters: 250_000, // of them: 20 s, the rest of `requestMs` being for slower machines
  requestMs: 30_000,
  stopMs: 10_000, // for requests that are under way when the server stops
} as const;
