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

const joinAddress = ({ hostname, port }: Pick<ServeOptions, "hostname" | "port">) =>
  `${hostname.includes(":") ? `[${hostname.replace(/^\[|\]$/g, "")}]` : hostname}:${port}`;

/** The error to raise where `error` came of listening: host and port, the cause and what to do. */
export function explainListenError(
  error: unknown,
  address: Pick<ServeOptions, "hostname" | "port">,
): unknown {
  if (!(error instanceof Error)) return error;
  const { hostname, port } = address;
  const at = `Cannot serve at ${joinAddress(address)}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return new Deno.errors.AddrInUse(
      `${at} as the port must be free: choose another --port, or 0 for any`,
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new Deno.errors.PermissionDenied(
      `${at} as listening at port ${port} must be permitted: choose a --port from 1024 on, or 0 for any`,
    );
  }
  const reason =
    error instanceof Deno.errors.AddrNotAvailable || /os error 22\b/.test(error.message)
      ? `no network of this machine has ${hostname}`
      : error instanceof URIError
      ? `${JSON.stringify(hostname)} is neither a host name nor an IP address`
      : /lookup/.test(error.message)
      ? `the name ${hostname} cannot be resolved`
      : null;
  if (reason === null) return error;
  return new RangeError(
    `${at} as --host must be an address of this machine: ${reason}; choose 127.0.0.1 for this ` +
      "machine alone or 0.0.0.0 for all of its networks",
  );
}

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
      onListen: ({ hostname, port }) => onListen(`http://${joinAddress({ hostname, port })}/`),
    }, (request) => app.fetch(request));
  } catch (error) {
    throw explainListenError(error, options);
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
