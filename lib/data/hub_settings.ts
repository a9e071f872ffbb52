/**
 * How the Hugging Face Hub is reached, from the environment variables that all of its tools share.
 * @module
 */

import { getHFHubCachePath, HUB_URL } from "@huggingface/hub";

/** How the Hub is reached. */
export type HubSettings = {
  /** Address of the Hub, without a slash at its end: `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** `HF_TOKEN`; null: anonymous. */
  readonly token: string | null;
  /** Folder of the shared cache: `HF_HUB_CACHE`, else `hub` in `HF_HOME`. */
  readonly cacheDir: string;
  /** `HF_HUB_OFFLINE`: nothing but the cache is used. */
  readonly offline: boolean;
  /** Waits before further attempts; as many as there are, after a cut connection or a server's fault. */
  readonly retryDelaysMs: readonly number[];
  /** How long the Hub may be silent, before it answers and in the middle of an answer. */
  readonly silenceTimeoutMs: number;
};

/** The settings that the environment gives. */
export function readHubSettings(): HubSettings {
  const token = Deno.env.get("HF_TOKEN")?.trim() ?? "";
  if (token !== "" && !token.startsWith("hf_")) {
    throw new TypeError(
      `Cannot use the Hub as HF_TOKEN must start with "hf_": its start is another`,
    );
  }
  const endpoint = Deno.env.get("HF_ENDPOINT")?.trim() || HUB_URL;
  if (!URL.canParse(endpoint)) {
    throw new TypeError(
      `Cannot use the Hub as HF_ENDPOINT must be an address such as ${HUB_URL}: current value is ${endpoint}`,
    );
  }
  return {
    endpoint: endpoint.replace(/\/+$/, ""),
    token: token === "" ? null : token,
    cacheDir: getHFHubCachePath(),
    offline: ["1", "ON", "YES", "TRUE"].includes(
      (Deno.env.get("HF_HUB_OFFLINE") ?? "").trim().toUpperCase(),
    ),
    retryDelaysMs: [500, 2000, 8000],
    silenceTimeoutMs: 30_000,
  };
}
