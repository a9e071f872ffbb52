/**
 * Settings of the Hugging Face Hub, from the environment variables that all of its tools share.
 *
 * Variables: https://huggingface.co/docs/huggingface_hub/v1.0.0/package_reference/environment_variables
 * @module
 */

import { homedir } from "node:os";
import { join } from "node:path";
import { HUB_URL } from "@huggingface/hub";
import { decodeText } from "@/plain_text.ts";

/** Settings for access to the Hub. */
export type HubSettings = {
  /** URL of the Hub without a trailing slash: `HF_ENDPOINT`. */
  readonly endpoint: string;
  /**
   * `HF_TOKEN`, else the token that `hf auth login` has stored (in `HF_TOKEN_PATH`, or `token` in `HF_HOME`) unless
   * `HF_HUB_DISABLE_IMPLICIT_TOKEN` is set; null for anonymous access. Hubs other than the official one may use tokens of
   * any form.
   */
  readonly token: string | null;
  /** Folder of the shared cache: `HF_HUB_CACHE`, else `hub` in `HF_HOME`. */
  readonly cacheDir: string;
  /** `HF_HUB_OFFLINE`: use only the cache. */
  readonly offline: boolean;
  /** Delays before retries after a broken connection or a server error; one for each retry. */
  readonly retryDelaysMs: readonly number[];
  /** Maximum time without data, before a response or in the middle of it. */
  readonly silenceTimeoutMs: number;
};

/** The trimmed value of an environment variable; null if it is unset or blank. */
function readVariable(name: string): string | null {
  return Deno.env.get(name)?.trim() || null;
}

/** True if the Hub's tools interpret the value of an environment variable as true. */
function isSet(name: string): boolean {
  return ["1", "ON", "YES", "TRUE"].includes(readVariable(name)?.toUpperCase() ?? "");
}

/** The path in an environment variable, with `~` replaced by the home folder; null if it is unset. */
function readPath(name: string): string | null {
  return readVariable(name)?.replace(/^~(?=$|[/\\])/, () => homedir()) ?? null;
}

/** The folder with everything that the Hub's tools store. */
function findHome(): string {
  const caches = readPath("XDG_CACHE_HOME") ?? join(homedir(), ".cache");
  return readPath("HF_HOME") ?? join(caches, "huggingface");
}

/** The token of the environment, else that of the file in which the Hub's own tools store it. */
function readToken(): string | null {
  if (isSet("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return null;
  const path = readPath("HF_TOKEN_PATH") ?? join(findHome(), "token");
  const given = cleanToken(Deno.env.get("HF_TOKEN") ?? "");
  const token = given === "" ? cleanToken(readIfThere(path)) : given;
  if (/[^\x21-\x7e]/.test(token)) { // fetch() would reject it as a header and print it
    throw new TypeError(
      `Cannot use the Hub: ${
        given === "" ? `the token in ${path}` : "HF_TOKEN"
      } contains a space, ` +
        "a control character or a character outside ASCII; copy the token again",
    );
  }
  return token === "" ? null : token;
}

/** Removes line breaks and surrounding spaces from a token, as `huggingface_hub` does. */
function cleanToken(text: string): string {
  return text.replaceAll(/[\r\n]/g, "").trim();
}

/** The text of a file; empty if it is missing or unreadable. */
function readIfThere(path: string): string {
  try {
    return decodeText(Deno.readFileSync(path), { what: "token", name: path });
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.IsADirectory || error instanceof Deno.errors.PermissionDenied
    ) {
      return "";
    }
    throw error;
  }
}

/** The validated URL in `HF_ENDPOINT`. */
function readEndpoint(): string {
  const endpoint = (readVariable("HF_ENDPOINT") ?? HUB_URL).replace(/\/+$/, "");
  const url = URL.parse(endpoint);
  if (url !== null && (url.username !== "" || url.password !== "")) {
    throw new TypeError(
      "Cannot use the Hub: HF_ENDPOINT contains a user name or password; remove them " +
        "and set HF_TOKEN to the token",
    );
  }
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new TypeError(
      `Cannot use the Hub: HF_ENDPOINT must be an http or https address such as ${HUB_URL}, ` +
        `but is ${endpoint}`,
    );
  }
  return endpoint;
}

/** Reads the settings from the environment. */
export function readHubSettings(): HubSettings {
  return {
    endpoint: readEndpoint(),
    token: readToken(),
    cacheDir: readPath("HF_HUB_CACHE") ?? readPath("HUGGINGFACE_HUB_CACHE") ??
      join(findHome(), "hub"),
    offline: isSet("HF_HUB_OFFLINE"),
    retryDelaysMs: [500, 2000, 8000],
    silenceTimeoutMs: 30_000,
  };
}
