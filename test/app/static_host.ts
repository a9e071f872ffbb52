/**
 * Static file server for tests, which can modify the files of its folder on the fly.
 * @module
 */
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Modifies the content of a file; returns null to answer 404. */
export type Tampering = (
  name: string,
  content: Uint8Array<ArrayBuffer>,
) => Uint8Array<ArrayBuffer> | null;

/** Running static file server. */
export type StaticHost = {
  /** URL of the folder, with a trailing slash. */
  readonly address: string;
  /** Sets the modification of all later responses. */
  tamper(how: Tampering): void;
};

/** Runs `test` with a server of `folder`. */
export async function withStaticHost(
  folder: string,
  test: (host: StaticHost) => Promise<void>,
): Promise<void> {
  const base = "/some/page/";
  let how: Tampering = (_, content) => content;
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    // paths cannot leave the folder, because URL resolves ".."
    const name = pathname === base ? "index.html" : pathname.slice(base.length);
    try {
      const content = pathname.startsWith(base)
        ? how(name, await Deno.readFile(join(folder, name)))
        : null;
      if (content !== null) {
        const type = TYPES[extname(name)] ?? "application/octet-stream";
        return new Response(content, { headers: { "Content-Type": type } });
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return new Response("not found", { status: 404 });
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  try {
    await test({
      address: `http://127.0.0.1:${server.addr.port}${base}`,
      tamper(next) {
        how = next;
      },
    });
  } finally {
    await server.shutdown();
  }
}
