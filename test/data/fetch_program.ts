/** Downloads one file of `owner/tiny` in a separate process: `fetch_program.ts ENDPOINT CACHE PATH`. */

import { openHubRepo } from "@/data/hub_files.ts";

const [endpoint = "", cacheDir = "", path = ""] = Deno.args;
const settings = {
  endpoint,
  cacheDir,
  token: null,
  offline: false,
  retryDelaysMs: [],
  silenceTimeoutMs: 5000,
};
const repo = openHubRepo({ repo: "owner/tiny", kind: "model", settings });
console.log(await repo.fetch(path));
