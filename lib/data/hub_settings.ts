/**
 * How the Hugging Face Hub is reached, from the environment variables that all of its tools share.
 * @module
 */

import { homedir } from "node:os";
import { join } from "node:path";
import { getHFHubCachePath, HUB_URL } from "@huggingface/hub";
import { decodeText } from "@/plain_text.ts";

/** How the Hub is reached. */
export type HubSettings = {
  /** Address of the Hub, without a slash at its end: `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** `HF_TOKEN`, else what `hf auth login` keeps: `HF_TOKEN_PATH` or `token` in `HF_HOME`; null: anonymous. */
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

/** The token of the environment, else that of the file in which the Hub's own tools keep it. */
function readToken(): string | null {
  const home = Deno.env.get("HF_HOME")?.trim() || join(homedir(), ".cache", "huggingface");
  const path = Deno.env.get("HF_TOKEN_PATH")?.trim() || join(home, "token");
  const given = Deno.env.get("HF_TOKEN")?.trim() ?? "";
  const token = given === "" ? readIfThere(path) : given;
  if (token === "" || token.startsWith("hf_")) return token === "" ? null : token;
  throw new TypeError(
    `Cannot use the Hub as ${
      given === "" ? `the token in ${path}` : "HF_TOKEN"
    } must start with "hf_": ` +
      "its start is another",
  );
}

/** The trimmed text of a file; empty where there is none. */
function readIfThere(path: string): string {
  try {
    return decodeText(Deno.readFileSync(path), { what: "token", name: path }).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return "";
    }
    throw error;
  }
}

/** The settings that the environment gives. */
export function readHubSettings(): HubSettings {
  const endpoint = Deno.env.get("HF_ENDPOINT")?.trim() || HUB_URL;
  if (!URL.canParse(endpoint)) {
    throw new TypeError(
      `Cannot use the Hub as HF_ENDPOINT must be an address such as ${HUB_URL}: current value is ${endpoint}`,
    );
  }
  return {
    endpoint: endpoint.replace(/\/+$/, ""),
    token: readToken(),
    cacheDir: getHFHubCachePath(),
    offline: ["1", "ON", "YES", "TRUE"].includes(
      (Deno.env.get("HF_HUB_OFFLINE") ?? "").trim().toUpperCase(),
    ),
    retryDelaysMs: [500, 2000, 8000],
    silenceTimeoutMs: 30_000,
  };
}
