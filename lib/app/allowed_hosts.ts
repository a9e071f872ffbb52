/**
 * Protection against DNS rebinding. A foreign web page can let its own host name resolve to 127.0.0.1, and a browser
 * then treats requests to this server as same-origin. Such requests still carry the foreign name in their Host header,
 * so a server on a loopback address only accepts known hosts.
 * @module
 */

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Hosts that a server at `hostname` accepts, in the normalized form of URLs. Returns null if any host is accepted,
 * which is the case for servers that other machines can reach.
 */
export function findAllowedHosts(hostname: string): readonly string[] | null {
  const host = hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
  const url = URL.parse(`http://${host}`)?.hostname ?? host; // normalized, for example [0:0:0:0:0:0:0:1] to [::1]
  const isLoopback = LOOPBACK.includes(url) || /^127\.\d+\.\d+\.\d+$/.test(url);
  return isLoopback ? [...new Set([...LOOPBACK, url])] : null;
}
