import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { findNextPage } from "@/data/hub_api.ts";
import { openHubRepo } from "@/data/hub_files.ts";
import {
  createLibraryFetch,
  PLACEHOLDER_TOKEN,
  readWaitMs,
  sendWithToken,
} from "@/data/hub_send.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import { type Progress, SILENT } from "@/progress.ts";
import { COMMIT, type FakeRepo, withFakeHub } from "./hub_server.ts";

const SMALL = new TextEncoder().encode('{"hidden_size": 8}');
const FILES = { "a.json": SMALL, "b/c.json": SMALL, "d.json": SMALL };
const MODEL: FakeRepo = { id: "models/owner/tiny", revision: "main", files: FILES };
const TINY = { repo: "owner/tiny", kind: "model" } as const;

/** A server that responds with `respond`; `seen` contains path and token of each request. */
async function withServer(
  respond: (url: URL) => Response,
  use: (origin: string, seen: readonly string[]) => Promise<void>,
): Promise<void> {
  const seen: string[] = [];
  const server = Deno.serve({ port: 0, onListen: () => {} }, (request) => {
    const url = new URL(request.url);
    seen.push(`${url.pathname}${url.search} ${request.headers.get("Authorization") ?? "no token"}`);
    return respond(url);
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, seen);
  } finally {
    await server.shutdown();
  }
}

const SETTINGS: HubSettings = {
  endpoint: "",
  token: "s3cr.et",
  cacheDir: "nowhere",
  offline: false,
  retryDelaysMs: [],
  silenceTimeoutMs: 5000,
};

Deno.test("findNextPage() stays on the endpoint whatever host a link names", () => {
  const url = new URL("http://mirror/hf/api/models/a/b/tree/c0ffee?recursive=true");
  const next = "http://mirror/hf/api/models/a/b/tree/c0ffee?recursive=true&cursor=xyz%3D";
  const links = [
    `<${next}>; rel="next"`,
    '<https://elsewhere/api/models/a/b/tree/c0ffee?recursive=true&cursor=xyz%3D>; rel="next"',
    "<//elsewhere/tree?cursor=xyz%3D>;rel=next",
    '<?cursor=xyz%3D>; title="a, b"; rel="next"',
    '</api?cursor=first>; rel="first", </api?cursor=xyz%3D>; rel="last next"',
  ];
  for (const link of links) strictEqual(findNextPage(link, url)?.href, next, link);
  for (const link of [null, "", '<?cursor=1>; rel="prev"', '<?cursor=1>; rel="nextish"']) {
    strictEqual(findNextPage(link, url), null);
  }
});

Deno.test("list() requests all pages from the endpoint and rejects repeated pages", async () => {
  const page = (path: string, link: string | null) => () =>
    Response.json([{ type: "file", path }, { type: "directory", path: `${path}.d` }], {
      headers: link === null ? {} : { Link: link },
    });
  await withServer(() => Response.json([]), async (elsewhere, asked) => {
    await withFakeHub([MODEL], async ({ settings, faults, requests }) => {
      const hub = { ...settings, token: "s3cr.et" };
      const tree = `/tree/${COMMIT}`;
      faults.push({ at: tree, do: page("b", `<${elsewhere}/api?cursor=1>; rel="next"`) });
      faults.push({ at: tree, do: page("a", `</api?cursor=2>; rel="next"`) });
      faults.push({ at: tree, do: page("c", null) });
      deepStrictEqual(await openHubRepo({ ...TINY, settings: hub }).list(), ["a", "b", "c"]);
      strictEqual(requests.filter((each) => each.endsWith(tree)).length, 3);
      deepStrictEqual(asked, []);

      for (const cursor of [1, 2]) {
        faults.push({ at: tree, do: page("a", `<?cursor=${cursor}>; rel="next"`) });
      }
      await rejects(openHubRepo({ ...TINY, settings: hub }).list(), {
        message: `Cannot fetch the list of files of model owner/tiny: ${hub.endpoint} returns ` +
          "the same pages again and again",
      });
    });
  });
});

Deno.test("sendWithToken() sends the token only to the endpoint's host, also after redirects", async () => {
  await withServer(() => new Response("file"), async (elsewhere, there) => {
    const respond = ({ pathname }: URL) => {
      const places: Record<string, string> = { "/moved": "/new", "/new": `${elsewhere}/cdn` };
      const place = places[pathname];
      return place === undefined
        ? new Response("own")
        : new Response(null, { status: 307, headers: { Location: place } });
    };
    await withServer(respond, async (endpoint, here) => {
      const settings = { ...SETTINGS, endpoint: `${endpoint}/prefix` };
      const got = await sendWithToken(settings, `${endpoint}/moved`, {
        headers: { Range: "bytes=1-" },
      });
      strictEqual(await got.text(), "file");
      deepStrictEqual(here, ["/moved Bearer s3cr.et", "/new Bearer s3cr.et"]);
      deepStrictEqual(there, ["/cdn no token"]);
    });
  });
});

Deno.test("sendWithToken() rejects endless redirects, invalid URLs, and redirects from https to http", async () => {
  const circle = () => new Response(null, { status: 302, headers: { Location: "/again" } });
  await withServer(circle, async (endpoint, seen) => {
    await rejects(sendWithToken({ ...SETTINGS, endpoint }, endpoint, {}), {
      message: `Cannot follow ${endpoint}: it redirects more than 10 times`,
    });
    strictEqual(seen.length, 11);
  });
  const nowhere = () => new Response(null, { status: 302, headers: { Location: "file:///x" } });
  await withServer(nowhere, async (endpoint) => {
    await rejects(sendWithToken({ ...SETTINGS, endpoint }, endpoint, {}), {
      message: `Cannot follow ${endpoint}: it redirects to "file:///x", which is not a valid URL`,
    });
  });
  const { fetch } = globalThis;
  globalThis.fetch = () =>
    Promise.resolve(new Response(null, { status: 302, headers: { Location: "http://hub/x" } }));
  try {
    await rejects(sendWithToken({ ...SETTINGS, endpoint: "https://hub" }, "https://hub/x", {}), {
      message: "Cannot follow https://hub: it redirects from https to http (http://hub), where " +
        "others could read and change the request",
    });
  } finally {
    globalThis.fetch = fetch;
  }
});

Deno.test("createLibraryFetch() replaces the placeholder token, only for the endpoint", async () => {
  await withServer(() => new Response(), async (elsewhere, there) => {
    await withServer(() => new Response(), async (endpoint, here) => {
      const send = createLibraryFetch({ ...SETTINGS, endpoint }, SILENT);
      const headers = { Authorization: `Bearer ${PLACEHOLDER_TOKEN}` };
      for (const origin of [endpoint, elsewhere]) {
        await (await send(`${origin}/x`, { headers })).text();
      }
      await (await send(`${elsewhere}/y`, { headers: { Authorization: "Bearer permit" } })).text();
      await (await send(`${endpoint}/z`)).text();
      deepStrictEqual(here, ["/x Bearer s3cr.et", "/z no token"]);
      deepStrictEqual(there, ["/x no token", "/y Bearer permit"]);
    });
  });
});

Deno.test("createLibraryFetch() retries after the waiting time of a rate limit", async () => {
  const answers = [[429, "0"], [200, null], [429, null], [429, "3600"], [503, "1"]] as const;
  let count = 0;
  const respond = () => {
    const [status, after] = answers[count++] ?? [200, null];
    return new Response(null, { status, headers: after === null ? {} : { "Retry-After": after } });
  };
  await withServer(respond, async (endpoint, seen) => {
    const shown: string[] = [];
    const view = { update: ({ label }: Progress) => void shown.push(label), finish() {} };
    const send = createLibraryFetch({ ...SETTINGS, endpoint }, view);
    const init = {
      method: "POST",
      body: "text",
      headers: { Authorization: `Bearer ${PLACEHOLDER_TOKEN}` },
    };
    for (const [status, requests] of [[200, 2], [429, 3], [429, 4], [503, 5]]) {
      const response = await send(`${endpoint}/x`, init);
      await response.body?.cancel();
      deepStrictEqual([response.status, seen.length], [status, requests]);
    }
    deepStrictEqual([...new Set(shown)], [`waiting for the rate limit of ${endpoint}, s`]);
    ok(seen.every((each) => each === "/x Bearer s3cr.et"));
  });
});

Deno.test("readWaitMs() reads seconds, dates relative to the server's clock, and the reset time of RateLimit", () => {
  const date = (seconds: number) => new Date(Date.UTC(2024, 0, 1, 0, 0, seconds)).toUTCString();
  const cases: readonly (readonly [Readonly<Record<string, string>>, number | null])[] = [
    [{ "Retry-After": "7" }, 7000],
    [{ "Retry-After": "0" }, 0],
    [{ "Retry-After": date(40), Date: date(10) }, 30_000],
    [{ "Retry-After": date(10), Date: date(40) }, 0],
    [{ RateLimit: '"api";r=0;t=55' }, 55_000],
    [{ "Retry-After": "soon" }, null],
    [{}, null],
  ];
  for (const [headers, ms] of cases) strictEqual(readWaitMs(new Headers(headers)), ms);
});

Deno.test("openHubRepo() waits as long as the Hub requests and reports it", async () => {
  await withFakeHub([MODEL], async ({ settings, faults }) => {
    const { endpoint } = settings;
    const reasons = [[429, `waiting for the rate limit of ${endpoint}`], [
      503,
      `waiting as requested by ${endpoint}`,
    ]] as const;
    for (const [status, reason] of reasons) {
      const shown: Progress[] = [];
      const view = { update: (progress: Progress) => void shown.push(progress), finish() {} };
      faults.push({
        at: "/revision/",
        do: () => new Response(null, { status, headers: { "Retry-After": "1" } }),
      });
      const began = performance.now();
      strictEqual(await openHubRepo({ ...TINY, settings, view }).commit(), COMMIT);
      ok(performance.now() - began >= 990);
      const label = `model owner/tiny: ${reason}, s`;
      deepStrictEqual(shown, [{ label, done: 0, total: 1 }, { label, done: 1, total: 1 }]);
    }
  });
});

Deno.test("openHubRepo() reports the rate limit, immediately if the wait would be too long", async () => {
  await withFakeHub([MODEL], async ({ settings, faults, requests }) => {
    const refuse = (headers: Record<string, string>) => () =>
      new Response(null, { status: 429, headers });
    const start =
      `Cannot fetch model owner/tiny: the rate limit of ${settings.endpoint} is exceeded (status 429, `;
    faults.push({ at: "/revision/", do: refuse({ "Retry-After": "3600" }) });
    await rejects(openHubRepo({ ...TINY, settings }).commit(), {
      name: "HubUnreachableError",
      message:
        `${start}1 attempt). Try again in 3600 s, or set HF_TOKEN: accounts have a higher limit`,
    });
    strictEqual(requests.length, 1);
    for (let i = 0; i < 4; i++) faults.push({ at: "/revision/", do: refuse({}) });
    await rejects(openHubRepo({ ...TINY, settings: { ...settings, token: "x" } }).commit(), {
      message: `${start}4 attempts). Try again in a few minutes`,
    });
  });
});

Deno.test("openHubRepo() explains each error status", async () => {
  await withFakeHub([MODEL], async ({ settings, faults }) => {
    const answer = (status: number) =>
      `Cannot fetch model owner/tiny: ${settings.endpoint} returned status ${status}`;
    const cases = [
      [
        403,
        { "X-Error-Code": "GatedRepo" },
        `, as the repository is gated. Accept its terms on ${settings.endpoint} and set HF_TOKEN to a token of that account`,
      ],
      [404, { "X-Error-Code": "RepoNotFound" }, ": there is no such repository"],
      [404, {}, ": it is not there"],
      [400, { "X-Error-Message": "Bad\tname" }, ": Bad name"],
      [418, {}, ""],
    ] as const;
    for (const [status, headers, rest] of cases) {
      faults.push({ at: "/revision/", do: () => new Response(null, { status, headers }) });
      await rejects(openHubRepo({ ...TINY, settings }).commit(), {
        message: answer(status) + rest,
      });
    }
    const page = { headers: { "Content-Type": "text/html" } };
    faults.push({ at: "/revision/", do: () => new Response("<!DOCTYPE html>", page) });
    await rejects(openHubRepo({ ...TINY, settings }).commit(), {
      message: `Cannot fetch model owner/tiny: ${settings.endpoint} returned text/html ` +
        "instead of JSON. Check HF_ENDPOINT and proxies",
    });
    faults.push({ at: "/revision/", do: () => Response.json({ sha: "main" }) });
    await rejects(openHubRepo({ ...TINY, settings }).commit(), {
      message: `Cannot fetch model owner/tiny: ${settings.endpoint} returned no commit`,
    });
  });
});

Deno.test("openHubRepo() mentions the prefix of the official Hub's tokens after a 401", async () => {
  const { fetch } = globalThis;
  globalThis.fetch = () => Promise.resolve(new Response(null, { status: 401 }));
  try {
    const settings = { ...SETTINGS, endpoint: "https://huggingface.co" };
    await rejects(openHubRepo({ ...TINY, settings }).commit(), {
      message:
        /valid and has read access; tokens of this Hub begin with "hf_", but this one does not$/,
    });
  } finally {
    globalThis.fetch = fetch;
  }
});
