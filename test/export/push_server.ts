/**
 * Local server with the Hub endpoints that a push needs: creation of a repository, preupload, LFS uploads of large
 * files, and the commit.
 */

import { createHash } from "node:crypto";
import type { HubSettings } from "@/data/hub_settings.ts";

/** State of the server and its recorded requests. */
export type PushServer = {
  readonly settings: HubSettings;
  /** Published files by repository; all files of a commit appear at once. */
  readonly repos: Map<string, Map<string, Uint8Array>>;
  /** Uploaded contents by sha256. */
  readonly uploaded: Map<string, Uint8Array>;
  /** `METHOD path` of each request in order. */
  readonly requests: string[];
  /** Bodies of the requests that create repositories. */
  readonly creations: unknown[];
  /** Status codes to answer with, by a substring of the request's path. */
  readonly refusals: Map<string, number>;
  /** Called at each upload of a large file. */
  onUpload: () => void;
};

/** Files that are uploaded with LFS. */
const LARGE = /\.(safetensors|onnx)$/;

type CommitLine = {
  readonly key: string;
  readonly value: { readonly path: string; readonly content?: string; readonly oid?: string };
};

/** Runs `use` with a server on which the token `writer.of-this_hub` has write permission. */
export async function withPushServer(use: (server: PushServer) => Promise<void>): Promise<void> {
  const repos: PushServer["repos"] = new Map(), uploaded: PushServer["uploaded"] = new Map();
  const requests: string[] = [], creations: unknown[] = [];
  const refusals = new Map<string, number>();

  const commit = (repo: Map<string, Uint8Array>, text: string): Response => {
    for (const line of text.split("\n")) {
      const { key, value } = JSON.parse(line) as CommitLine;
      if (key === "file") repo.set(value.path, new Uint8Array(base64(value.content ?? "")));
      if (key === "lfsFile") {
        repo.set(value.path, uploaded.get(value.oid ?? "") ?? new Uint8Array());
      }
      if (key === "deletedFile") repo.delete(value.path);
    }
    return Response.json({ commitOid: "c0ffee", commitUrl: "http://hub/commit/c0ffee" });
  };

  const serving = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
    const { pathname, origin } = new URL(request.url);
    requests.push(`${request.method} ${pathname}`);
    const body = new Uint8Array(await request.arrayBuffer());
    const refusal = [...refusals].find(([part]) => pathname.includes(part));
    if (refusal !== undefined && !(refusal[1] >= 500 && pathname.includes("/commit/"))) {
      return Response.json({ error: "no" }, { status: refusal[1] });
    }
    const text = () => new TextDecoder().decode(body);
    if (pathname.startsWith("/lfs/")) { // as on the Hub, the URL itself grants access
      const oid = pathname.slice("/lfs/".length);
      if (createHash("sha256").update(body).digest("hex") !== oid) {
        return new Response("damaged", { status: 400 });
      }
      uploaded.set(oid, body);
      server.onUpload();
      return new Response();
    }
    if (request.headers.get("Authorization") !== "Bearer writer.of-this_hub") {
      return Response.json({ error: "Invalid credentials" }, { status: 401 });
    }
    if (pathname === "/api/repos/create") {
      const wanted = JSON.parse(text()) as { name: string; organization: string };
      creations.push(wanted);
      const id = `${wanted.organization}/${wanted.name}`;
      if (repos.has(id)) return Response.json({ error: "exists" }, { status: 409 });
      repos.set(id, new Map());
      return Response.json({ url: `${origin}/${id}`, id });
    }
    const [, id = "", rest = ""] =
      /^(?:\/api\/models)?\/([^/]+\/[^/]+?)(?:\.git)?(\/(?:preupload|info|commit|tree)\/.*)$/
        .exec(pathname) ?? [];
    const repo = repos.get(id);
    if (repo === undefined) return Response.json({ error: "not found" }, { status: 404 });
    if (rest === "/preupload/main") {
      const { files } = JSON.parse(text()) as { files: { path: string }[] };
      return Response.json({
        files: files.map(({ path }) => ({
          path,
          uploadMode: LARGE.test(path) ? "lfs" : "regular",
          shouldIgnore: false,
        })),
      });
    }
    if (rest === "/info/lfs/objects/batch") {
      const { objects } = JSON.parse(text()) as { objects: { oid: string; size: number }[] };
      return Response.json({
        transfer: "basic",
        objects: objects.map(({ oid, size }) => ({
          oid,
          size,
          ...(!uploaded.has(oid) && { actions: { upload: { href: `${origin}/lfs/${oid}` } } }),
        })),
      });
    }
    if (rest === "/tree/main") {
      return Response.json([...repo].map(([path, { length }]) => ({
        type: "file",
        path,
        size: length,
        oid: "0",
      })));
    }
    if (rest !== "/commit/main") return new Response(null, { status: 400 });
    const answer = commit(repo, text());
    // like a gateway that times out after the Hub has made the commit
    return refusal === undefined
      ? answer
      : Response.json({ error: "late" }, { status: refusal[1] });
  });
  const settings: HubSettings = {
    endpoint: `http://localhost:${serving.addr.port}`,
    token: "writer.of-this_hub",
    cacheDir: "nowhere",
    offline: false,
    retryDelaysMs: [],
    silenceTimeoutMs: 5000,
  };
  const server: PushServer = {
    settings,
    repos,
    uploaded,
    requests,
    creations,
    refusals,
    onUpload: () => {},
  };
  try {
    await use(server);
  } finally {
    await serving.shutdown();
  }
}

/** The bytes of a base64 text. */
function base64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
