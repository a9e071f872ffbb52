/**
 * Serves an application until its signal is aborted, and then lets running requests finish.
 * @module
 */
import type { Hono } from "hono";
import { LIMITS } from "./contract.ts";

/** Options of {@link serveApp}. */
type ServeOptions = {
  readonly hostname: string;
  /** Port; 0 for any free one. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** Called with the address once the server listens. */
  readonly onListen?: (address: string) => void;
};

const joinAddress = ({ hostname, port }: Pick<ServeOptions, "hostname" | "port">) =>
  `${hostname.includes(":") ? `[${hostname.replace(/^\[|\]$/g, "")}]` : hostname}:${port}`;

/** Translates an error of listening into one with host and port, the cause and a remedy; returns other errors unchanged. */
export function explainListenError(
  error: unknown,
  address: Pick<ServeOptions, "hostname" | "port">,
): unknown {
  if (!(error instanceof Error)) return error;
  const { hostname, port } = address;
  const at = `Cannot listen at ${joinAddress(address)}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return new Deno.errors.AddrInUse(
      `${at}: the port is in use; choose another --port, or 0 for any free one`,
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new Deno.errors.PermissionDenied(
      `${at}: no permission for port ${port}; choose a --port of 1024 or higher, or 0 for any free one`,
    );
  }
  const reason =
    error instanceof Deno.errors.AddrNotAvailable || /os error 22\b/.test(error.message)
      ? `this machine has no network interface with the address ${hostname}`
      : error instanceof URIError
      ? `${JSON.stringify(hostname)} is neither a host name nor an IP address`
      : /lookup/.test(error.message)
      ? `the name ${hostname} cannot be resolved`
      : null;
  if (reason === null) return error;
  return new RangeError(
    `${at}: ${reason}; choose --host 127.0.0.1 for this machine only, or 0.0.0.0 for all its networks`,
  );
}

/** Serves `app`; resolves once the server has stopped. */
export async function serveApp(app: Hono, options: ServeOptions): Promise<void> {
  const { hostname, port, signal, onListen = () => {} } = options;
  const hard = new AbortController(); // aborts requests that do not finish in time
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
