/**
 * Requests to the Hub's API about a repository: its commit, its list of files, and the hash and size of a file.
 *
 * API: https://huggingface.co/docs/hub/api
 * @module
 */

import { isCommit, type RepoKind } from "@/data/hub_cache.ts";
import { fetchFromHub, type HubRequest, readChunks, withRetries } from "@/data/hub_fetch.ts";

/** A repository at a revision. */
type RepoAddress = {
  readonly repo: string;
  readonly kind: RepoKind;
  /** A branch, tag or commit. */
  readonly revision: string;
};

/** A file of a repository. */
type HubFile = {
  /** SHA-256 of a large file, git's SHA-1 of a small one. */
  readonly hash: string;
  /** Size in bytes. */
  readonly size: number;
};

type JsonObject = { readonly [key: string]: unknown };

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null;
}

function apiUrl(
  { settings: { endpoint } }: HubRequest,
  { repo, kind, revision }: RepoAddress,
  call: string,
) {
  return new URL(`${endpoint}/api/${kind}s/${repo}/${call}/${encodeURIComponent(revision)}`);
}

/** Returns the parsed JSON of a response and its headers; retries after transient failures. */
async function ask(
  request: HubRequest,
  url: URL,
  init: RequestInit = {},
): Promise<{ readonly json: unknown; readonly headers: Headers }> {
  const { headers, text } = await withRetries(request, async () => {
    const response = await fetchFromHub(request, url, init);
    const chunks = readChunks(response.body, request.settings.silenceTimeoutMs);
    const text = await new Blob(await Array.fromAsync(chunks)).text();
    return { headers: response.headers, text };
  });
  try {
    return { json: JSON.parse(text), headers };
  } catch {
    throw new SyntaxError(
      `Cannot fetch ${request.what}: ${request.settings.endpoint} returned ` +
        `${headers.get("Content-Type") ?? "something"} instead of JSON. ` +
        "Check HF_ENDPOINT and proxies",
    );
  }
}

/** Requests the commit of a branch or tag. */
export async function askCommit(request: HubRequest, address: RepoAddress): Promise<string> {
  const url = apiUrl(request, address, "revision");
  url.searchParams.set("expand", "sha");
  const { json } = await ask(request, url);
  const sha = isObject(json) ? json.sha : undefined;
  if (typeof sha === "string" && isCommit(sha)) return sha;
  throw new Error(
    `Cannot fetch ${request.what}: ${request.settings.endpoint} returned no commit`,
  );
}

/** Requests the sorted paths of all files, page by page. */
export async function askPaths(request: HubRequest, address: RepoAddress): Promise<string[]> {
  const files: string[] = [], seen = new Set<string>();
  let url: URL | null = apiUrl(request, address, "tree");
  url.searchParams.set("recursive", "true");
  while (url !== null) {
    const { json, headers } = await ask(request, url);
    const known = seen.size;
    for (const entry of Array.isArray(json) ? json : [json]) {
      if (!isObject(entry) || typeof entry.path !== "string") {
        throw new Error(
          `Cannot fetch ${request.what}: ${request.settings.endpoint} returned a list of unknown form`,
        );
      }
      if (entry.type === "file" && !seen.has(entry.path)) files.push(entry.path);
      seen.add(entry.path);
    }
    url = findNextPage(headers.get("Link"), url);
    if (url !== null && seen.size === known) {
      throw new Error(
        `Cannot fetch ${request.what}: ${request.settings.endpoint} returns the same pages again and again`,
      );
    }
  }
  return files.sort();
}

/**
 * URL of the page after `url`, or null after the last page. Only the query of the link is used: a link could name
 * another host, to which no request should go.
 */
export function findNextPage(link: string | null, url: URL): URL | null {
  for (const [, target = "", parameters = ""] of (link ?? "").matchAll(/<([^>]*)>([^<]*)/g)) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters);
    if (!(relation?.[1] ?? relation?.[2] ?? "").toLowerCase().split(/\s+/).includes("next")) {
      continue;
    }
    const next = new URL(url);
    for (const [key, value] of URL.parse(target, url)?.searchParams ?? []) {
      next.searchParams.set(key, value);
    }
    return next;
  }
  return null;
}

/** Requests hash and size of the file at `path`; null if the repository has no such file. */
export async function askFile(
  request: HubRequest,
  address: RepoAddress,
  path: string,
): Promise<HubFile | null> {
  const { json } = await ask(request, apiUrl(request, address, "paths-info"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ paths: [path] }),
  });
  const entry: unknown = Array.isArray(json)
    ? json.find((each) => isObject(each) && each.path === path)
    : undefined;
  if (!isObject(entry) || entry.type !== "file") return null;
  const { oid: hash, size } = isObject(entry.lfs) ? entry.lfs : entry;
  if (
    typeof hash !== "string" || !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(hash) ||
    typeof size !== "number" || !Number.isSafeInteger(size) || size < 0
  ) {
    throw new Error(
      `Cannot fetch ${request.what}: ${request.settings.endpoint} returned no hash and size`,
    );
  }
  return { hash, size };
}
