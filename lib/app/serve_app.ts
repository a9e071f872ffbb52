/**
 * Serves an application until it is told to stop, and then lets requests that are under way end.
 * @module
 */
import type { Hono } from "hono";
import { LIMITS } from "./limits.ts";

/** Where to listen. */
export type ServeOptions = {
  readonly hostname: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** Called once it listens. */
  readonly onListen?: (address: string) => void;
};

/** Serves `app`; returns once it has stopped. */
export async function serveApp(app: Hono, options: ServeOptions): Promise<void> {
  const { hostname, port, signal, onListen = () => {} } = options;
  const hard = new AbortController(); // ends requests that will not end
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({
      hostname,
      port,
      signal: hard.signal,
      onListen: ({ hostname, port }) =>
        onListen(`http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/`),
    }, (request) => app.fetch(request));
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new Deno.errors.AddrInUse(
      `Cannot serve at ${hostname}:${port} as the port must be free: choose another --port, or 0 for any`,
    );
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    server.shutdown();
    timer = setTimeout(() => hard.abort(), LIMITS.stopMs);
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    await server.finished;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
