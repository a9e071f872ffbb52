import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { Hono } from "hono";
import { findAllowedHosts } from "@/app/policies.ts";
import { explainListenError, serveApp } from "@/app/serve_app.ts";
import { checkSchema, post } from "./ask_api.ts";
import { withServedApp } from "./served_app.ts";

Deno.test("a request that takes too long is answered with status 504", async () => {
  await withServedApp(async ({ address, replaceService }) => {
    replaceService({ predict: () => new Promise(() => {}) });
    const message = "No answer within 0.05 s: try again in a moment";
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

Deno.test("work is canceled when the client disconnects or the time limit passes", async () => {
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

Deno.test("internal errors are reported to the server's operator, a disconnected client is not one", async () => {
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
      connection.close(); // while sending the body
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    deepStrictEqual(faults, []);

    replaceService({ predict: () => Promise.reject(new TypeError("internal: odd")) });
    const { status, body } = await post(`${address}api/predict`, { texts: ["a"] });
    strictEqual(status, 500);
    checkSchema("Error", body);
    deepStrictEqual(faults, ["TypeError: internal: odd"]);
  }, { onInternalError: (error) => faults.push(String(error)) });
});

Deno.test("findAllowedHosts() recognizes loopback addresses in any notation", () => {
  const usual = ["localhost", "127.0.0.1", "[::1]"];
  for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "::1", "[::1]", "0:0:0:0:0:0:0:1"]) {
    deepStrictEqual(findAllowedHosts(host), usual, host);
  }
  deepStrictEqual(findAllowedHosts("127.0.0.2"), [...usual, "127.0.0.2"]);
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.example.org"]) {
    strictEqual(findAllowedHosts(host), null, host);
  }
});

Deno.test("a server at a loopback address rejects other host names", async () => {
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
          message: `Host ${host.split(":")[0]} is not allowed: ` +
            "this server accepts localhost, 127.0.0.1, [::1]",
        });
      }
    }
  });
});

Deno.test("a server that stops answers running requests first", async () => {
  await withServedApp(async ({ address, runs: { tiny }, replaceService, stop }) => {
    const started = Promise.withResolvers<void>(), go = Promise.withResolvers<void>();
    replaceService({
      predict: async (texts) => {
        started.resolve();
        await go.promise;
        return tiny.service.predict(texts);
      },
    });
    const answer = post(`${address}api/predict`, { texts: ["a"] });
    await started.promise;
    const stopped = stop();
    go.resolve();
    strictEqual((await answer).status, 200);
    await stopped;
  });
});

Deno.test("serveApp() explains why it cannot listen at a host and port", async () => {
  const refuses = async (address: { hostname: string; port: number }, message: string) => {
    const { signal } = new AbortController();
    await rejects(() => serveApp(new Hono(), { ...address, signal }), { message });
  };
  const advice = "choose --host 127.0.0.1 for this machine only, or 0.0.0.0 for all its networks";
  const wanted = (at: string) => `Cannot listen at ${at}`;
  await refuses(
    { hostname: "kettle.invalid", port: 0 }, // reserved by RFC 6761: never resolves
    `${wanted("kettle.invalid:0")}: the name kettle.invalid cannot be resolved; ${advice}`,
  );
  await refuses(
    { hostname: "192.0.2.1", port: 8000 }, // reserved for documentation: RFC 5737
    `${
      wanted("192.0.2.1:8000")
    }: this machine has no network interface with the address 192.0.2.1; ${advice}`,
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
      `Cannot listen at 127.0.0.1:${port}: the port is in use; choose another --port, or 0 for any free one`,
    );
  } finally {
    listener.close();
  }
  // the error of listening at port 80 without root permissions
  const denied = new Deno.errors.PermissionDenied("Permission denied (os error 13)");
  deepStrictEqual(
    explainListenError(denied, { hostname: "::1", port: 80 }),
    new Deno.errors.PermissionDenied(
      "Cannot listen at [::1]:80: no permission for port 80; choose a --port of 1024 or higher, " +
        "or 0 for any free one",
    ),
  );
});
