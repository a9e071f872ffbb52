/**
 * Under which names a server on this machine alone may be asked. A page from elsewhere can have its own
 * name resolved to 127.0.0.1 and then counts, to a browser, as a page of ours (DNS rebinding); its
 * requests are known by the name in Host.
 * @module
 */

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Hosts, as URLs write them, for a server that listens at `hostname`; null: any, as it is for others too. */
export function findOwnHosts(hostname: string): readonly string[] | null {
  const host = hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
  const url = URL.parse(`http://${host}`)?.hostname ?? host; // in the one way to write it
  const isLoopback = LOOPBACK.includes(url) || /^127\.\d+\.\d+\.\d+$/.test(url);
  return isLoopback ? [...new Set([...LOOPBACK, url])] : null;
}
