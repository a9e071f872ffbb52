/**
 * A local server with the Hub's endpoints that the loader uses. Large files are served by a second server, to which the
 * first one redirects, like the Hub's CDN.
 */

import { createHash } from "node:crypto";
import type { HubSettings } from "@/data/hub_settings.ts";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export type FakeRepo = {
  /** `datasets/owner/name` or `models/owner/name`. */
  readonly id: string;
  readonly revision: string;
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  /** If set, only this token has read access. */
  readonly token?: string;
};

/** A fault for the next request whose path contains `at`; each is used once. A function returns the response. */
export type Fault = {
  readonly at: string;
  readonly do: "cut" | "stall" | number | (() => Response);
};

export type FakeHub = {
  readonly settings: HubSettings;
  /** `METHOD path` of each request in order. */
  readonly requests: string[];
  /** Authorization headers that reached the CDN. */
  readonly cdnAuthorizations: (string | null)[];
  /** Range headers that reached the CDN. */
  readonly cdnRanges: (string | null)[];
  readonly faults: Fault[];
};

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
export const gitSha1 = (bytes: Uint8Array) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/** Files of more bytes are "large": stored in LFS and served by the CDN. */
const LARGE = 100;

/** Runs `use` with a server for `repos` and an empty cache. */
export async function withFakeHub(
  repos: readonly FakeRepo[],
  use: (hub: FakeHub) => Promise<void>,
): Promise<void> {
  const requests: string[] = [], faults: Fault[] = [];
  const cdnAuthorizations: (string | null)[] = [], cdnRanges: (string | null)[] = [];
  const bodies = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { files } of repos) {
    for (const bytes of Object.values(files)) bodies.set(sha256(bytes), bytes);
  }

  const takeFault = (path: string) => {
    const index = faults.findIndex(({ at }) => path.includes(at));
    return index < 0 ? undefined : faults.splice(index, 1)[0]?.do;
  };
  const respond = (bytes: Uint8Array<ArrayBuffer>, fault: unknown, range: string | null) => {
    const start = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    const part = bytes.subarray(start);
    const status = start > 0 ? 206 : 200;
    if (fault !== "cut" && fault !== "stall") return new Response(part, { status });
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(part.subarray(0, Math.floor(part.length / 2)));
        if (fault === "stall") return; // sends no more bytes and no end
        await new Promise((resolve) => setTimeout(resolve, 20)); // so that the first half arrives
        controller.error(new Error("cut"));
      },
    });
    return new Response(body, { status });
  };

  const cdn = Deno.serve(
    { port: 0, onListen: () => {}, onError: () => new Response() },
    (request) => {
      const { pathname } = new URL(request.url);
      requests.push(`CDN ${pathname}`);
      cdnAuthorizations.push(request.headers.get("Authorization"));
      cdnRanges.push(request.headers.get("Range"));
      const fault = takeFault(pathname);
      if (typeof fault === "number") return new Response("fault", { status: fault });
      if (typeof fault === "function") return fault();
      const bytes = bodies.get(pathname.slice(1));
      if (bytes === undefined) return new Response(null, { status: 404 });
      return respond(bytes, fault, request.headers.get("Range"));
    },
  );

  const main = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
    const { pathname, origin } = new URL(request.url);
    requests.push(`${request.method} ${pathname}`);
    const fault = takeFault(pathname);
    if (typeof fault === "number") return new Response("fault", { status: fault });
    if (typeof fault === "function") return fault();
    const path = decodeURIComponent(pathname).replace(/^\/api\//, "/").replace(/^\//, "");
    if (path.startsWith("datasets/moved/")) {
      return Response.redirect(`${origin}${pathname.replace("moved", "owner")}`, 307);
    }
    const inRepo = (id: string) =>
      path.startsWith(`${id}/`) || `models/${path}`.startsWith(`${id}/`);
    const repo = repos.find(({ id }) => inRepo(id));
    if (repo === undefined) return new Response(null, { status: 401 }); // like the Hub for anonymous requests
    if (repo.token && request.headers.get("Authorization") !== `Bearer ${repo.token}`) {
      return new Response(null, { status: 401 });
    }
    const rest = path.replace(/^models\//, "").slice(repo.id.replace(/^models\//, "").length + 1);
    const describe = (name: string) => {
      const bytes = repo.files[name] ?? new Uint8Array();
      const large = bytes.length > LARGE ? { lfs: { oid: sha256(bytes), size: bytes.length } } : {};
      return { type: "file", path: name, size: bytes.length, oid: gitSha1(bytes), ...large };
    };
    if (rest === `revision/${repo.revision}`) return Response.json({ id: repo.id, sha: COMMIT });
    if (rest === `tree/${COMMIT}`) {
      return Response.json([
        { type: "directory", path: "data", size: 0 },
        ...Object.keys(repo.files).map(describe),
      ]);
    }
    if (rest === `paths-info/${COMMIT}`) {
      const { paths } = await request.json() as { paths: string[] };
      return Response.json(paths.filter((name) => name in repo.files).map(describe));
    }
    const name = rest.replace(`resolve/${COMMIT}/`, "");
    const bytes = repo.files[name];
    if (name === rest || bytes === undefined) {
      const code = rest.startsWith("revision/") ? "RevisionNotFound" : "EntryNotFound";
      return new Response(null, { status: 404, headers: { "X-Error-Code": code } });
    }
    if (bytes.length <= LARGE) return respond(bytes, fault, request.headers.get("Range"));
    const location = `http://127.0.0.1:${cdn.addr.port}/${sha256(bytes)}`;
    return new Response(null, { status: 302, headers: { Location: location } });
  });

  const cacheDir = await Deno.makeTempDir();
  const settings: HubSettings = {
    endpoint: `http://localhost:${main.addr.port}`,
    token: null,
    cacheDir,
    offline: false,
    retryDelaysMs: [1, 1, 1],
    silenceTimeoutMs: 5000,
  };
  try {
    await use({ settings, requests, cdnAuthorizations, cdnRanges, faults });
  } finally {
    await Promise.all([main.shutdown(), cdn.shutdown()]);
    await Deno.remove(cacheDir, { recursive: true });
  }
}
