import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { Hono } from "hono";
import { findOwnHosts } from "@/app/own_hosts.ts";
import { explainListenError, serveApp } from "@/app/serve_app.ts";
import { checkSchema, post } from "./ask_api.ts";
import { withServedApp } from "./served_app.ts";

Deno.test("an answer that comes too late is given up", async () => {
  await withServedApp(async ({ address, replaceService }) => {
    replaceService({ predict: () => new Promise(() => {}) });
    const message = "Cannot answer as it must take at most 0.05 s: try again in a moment";
    for (
      const [texts, end] of [
        [["a"], ""],
        [Array(8).fill("a".repeat(4_000)), ", or with fewer or shorter texts"],
      ] as const
    ) {
      const { status, body } = await post(`${address}api/predict`, { texts });
      strictEqual(status, 504);
      checkSchema("Error", body);
      deepStrictEqual(body, { error: { code: "timed_out", message: message + end } });
    }
  }, { requestMs: 50 });
});

Deno.test("work ends when its client goes, and when its time is over", async () => {
  await withServedApp(async ({ address, replaceService }) => {
    for (
      const { patienceMs, name } of [
        { patienceMs: 100, name: "ClientGoneError" },
        { patienceMs: 10_000, name: "TimeoutError" },
      ]
    ) {
      const ended = Promise.withResolvers<unknown>();
      replaceService({
        predict: (_texts, signal) => {
          signal?.addEventListener("abort", () => ended.resolve(signal.reason));
          return new Promise(() => {});
        },
      });
      await fetch(`${address}api/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ texts: ["a"] }),
        signal: AbortSignal.timeout(patienceMs),
      }).then((response) => response.json(), () => {});
      const reason = await ended.promise;
      strictEqual(reason instanceof Error && reason.name, name);
    }
  }, { requestMs: 1_000 });
});

Deno.test("a fault is told to who runs the server, and a client that leaves is none", async () => {
  const faults: string[] = [];
  await withServedApp(async ({ address, replaceService }) => {
    const { hostname, port } = new URL(address);
    for (
      const rest of ["Content-Length: 99\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"]
    ) {
      const connection = await Deno.connect({ hostname, port: Number(port) });
      const head = "POST /api/predict HTTP/1.1\r\nHost: localhost\r\n" +
        "Content-Type: application/json\r\n";
      await connection.write(new TextEncoder().encode(head + rest));
      await new Promise((resolve) => setTimeout(resolve, 50));
      connection.close(); // within its body
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    deepStrictEqual(faults, []);

    replaceService({ predict: () => Promise.reject(new TypeError("internal: odd")) });
    const { status, body } = await post(`${address}api/predict`, { texts: ["a"] });
    strictEqual(status, 500);
    checkSchema("Error", body);
    deepStrictEqual(faults, ["TypeError: internal: odd"]);
  }, { onFault: (error) => faults.push(String(error)) });
});

Deno.test("findOwnHosts() knows addresses of this machine alone, however they are written", () => {
  const usual = ["localhost", "127.0.0.1", "[::1]"];
  for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "::1", "[::1]", "0:0:0:0:0:0:0:1"]) {
    deepStrictEqual(findOwnHosts(host), usual, host);
  }
  deepStrictEqual(findOwnHosts("127.0.0.2"), [...usual, "127.0.0.2"]);
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.example.org"]) {
    strictEqual(findOwnHosts(host), null, host);
  }
});

Deno.test("a server on this machine alone answers to this machine's names alone", async () => {
  await withServedApp(async ({ address }) => {
    const { hostname, port } = new URL(address);
    const ask = async (path: string, host: string) => {
      const connection = await Deno.connect({ hostname, port: Number(port) });
      const question = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      await connection.write(new TextEncoder().encode(question));
      const [head = "", body = ""] = (await new Response(connection.readable).text())
        .split("\r\n\r\n");
      return { status: Number(head.split(" ")[1]), body };
    };
    for (const host of [`localhost:${port}`, "localhost", "127.0.0.1:1", `[::1]:${port}`]) {
      strictEqual((await ask("/api/health", host)).status, 200, host);
    }
    for (
      const host of [
        "evil.example",
        "a b",
        `evil.example:${port}`,
        "localhost.evil.example",
        "1.2.3.4",
      ]
    ) {
      for (const path of ["/", "/api/health", "/report.html"]) {
        const { status, body } = await ask(path, host);
        strictEqual(status, 403, host + path);
        const answer = JSON.parse(body);
        checkSchema("Error", answer);
        deepStrictEqual(answer.error, {
          code: "wrong_host",
          message: "Cannot answer as Host must be one of localhost, 127.0.0.1, [::1]: it is " +
            host.split(":")[0],
        });
      }
    }
  });
});

Deno.test("a server that stops answers what is under way first", async () => {
  await withServedApp(async ({ address, runs: { tiny }, replaceService, stop }) => {
    const begun = Promise.withResolvers<void>(), go = Promise.withResolvers<void>();
    replaceService({
      predict: async (texts) => {
        begun.resolve();
        await go.promise;
        return tiny.service.predict(texts);
      },
    });
    const answer = post(`${address}api/predict`, { texts: ["a"] });
    await begun.promise;
    const stopped = stop();
    go.resolve();
    strictEqual((await answer).status, 200);
    await stopped;
  });
});

Deno.test("serveApp() names host and port that cannot be listened at, and says what to do", async () => {
  const refuses = async (address: { hostname: string; port: number }, message: string) => {
    const { signal } = new AbortController();
    await rejects(() => serveApp(new Hono(), { ...address, signal }), { message });
  };
  const advice = "choose 127.0.0.1 for this machine alone or 0.0.0.0 for all of its networks";
  const wanted = (at: string) =>
    `Cannot serve at ${at} as --host must be an address of this machine`;
  await refuses(
    { hostname: "kettle.invalid", port: 0 }, // reserved: RFC 6761 lets it never resolve
    `${wanted("kettle.invalid:0")}: the name kettle.invalid cannot be resolved; ${advice}`,
  );
  await refuses(
    { hostname: "192.0.2.1", port: 8000 }, // reserved for documentation: RFC 5737
    `${wanted("192.0.2.1:8000")}: no network of this machine has 192.0.2.1; ${advice}`,
  );
  await refuses(
    { hostname: "my host", port: 8000 },
    `${wanted("my host:8000")}: "my host" is neither a host name nor an IP address; ${advice}`,
  );
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const { hostname, port } = listener.addr;
    await refuses(
      { hostname, port },
      `Cannot serve at 127.0.0.1:${port} as the port must be free: choose another --port, or 0 for any`,
    );
  } finally {
    listener.close();
  }
  // as the system refuses port 80 to those who are not root
  const denied = new Deno.errors.PermissionDenied("Permission denied (os error 13)");
  deepStrictEqual(
    explainListenError(denied, { hostname: "::1", port: 80 }),
    new Deno.errors.PermissionDenied(
      "Cannot serve at [::1]:80 as listening at port 80 must be permitted: choose a --port from " +
        "1024 on, or 0 for any",
    ),
  );
});
