import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { LIMITS } from "@/app/limits.ts";
import { describeApi } from "@/app/openapi.ts";
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import { createTextPredictor } from "@/eval/predict_texts.ts";
import { withServedApp } from "./served_app.ts";

const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: "api", ...describeApi() });

/** Raises where `value` is not as the document's schema of this name says. */
function checkSchema(name: string, value: unknown): void {
  const validate = ajv.getSchema(`api#/components/schemas/${name}`);
  ok(validate, `the document has ${name}`);
  ok(validate(value), `${name}: ${ajv.errorsText(validate.errors)}`);
}

type Answer = { readonly status: number; readonly body: unknown; readonly headers: Headers };

async function post(url: string, body: unknown, type = "application/json"): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": type },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const TEXTS = ["Ada Lovelace wrote to Babbage.", "yes", "<script>alert(1)</script> São Paulo"];

Deno.test("the API answers as the model does, and as its document says", async () => {
  await withServedApp(async ({ address, saved }) => {
    const predicted = await post(`${address}api/predict`, { texts: TEXTS });
    strictEqual(predicted.status, 200);
    checkSchema("PredictRequest", { texts: TEXTS });
    checkSchema("PredictAnswer", predicted.body);
    const { predictions } = predicted.body as {
      predictions: { text: string; entities: unknown }[];
    };
    const own = await createTextPredictor(saved, { rows: 4 }).predict(TEXTS);
    deepStrictEqual(predictions.map(({ text }) => text), TEXTS);
    deepStrictEqual(predictions, JSON.parse(JSON.stringify(own)));

    const choice = { pooling: "max", normalize: "l1" } as const;
    const encoded = await post(`${address}api/encode`, { texts: TEXTS, ...choice });
    checkSchema("EncodeAnswer", encoded.body);
    const { embeddings } = encoded.body as { embeddings: number[][] };
    const vectors = await createSentenceEncoder(saved, choice).encode(TEXTS);
    embeddings.forEach((embedding, i) =>
      embedding.forEach((x, k) => ok(Math.abs(x - (vectors[i]?.[k] ?? NaN)) < 1e-6))
    );

    const health = await fetch(`${address}api/health`);
    const body = await health.json();
    checkSchema("Health", body);
    deepStrictEqual([body.status, body.model.run, body.model.pooling], ["ready", "tiny", "mean"]);
    const document = await (await fetch(`${address}api/openapi.json`)).json();
    deepStrictEqual(document, JSON.parse(JSON.stringify(describeApi())));
  });
});

Deno.test("requests that come together get each its own answer", async () => {
  await withServedApp(async ({ address }) => {
    const texts = Array.from({ length: 40 }, (_, i) => "Ada ".repeat(i % 9 + 1) + i);
    const answers = await Promise.all(
      texts.map((text) => post(`${address}api/predict`, { texts: [text] })),
    );
    deepStrictEqual(
      answers.map(({ body }) => (body as { predictions: { text: string }[] }).predictions[0]?.text),
      texts,
    );
  });
});

Deno.test("what cannot be answered is refused with a status and a sentence", async () => {
  const long = "x".repeat(LIMITS.characters + 1);
  const cases: [string, unknown, number, string][] = [
    ["predict", "{", 400, "Cannot read body as it must be JSON"],
    ["predict", [], 400, "Cannot read body as it must be a JSON object"],
    [
      "predict",
      { texts: [] },
      400,
      "Cannot read body as texts must be a list of at least one text",
    ],
    ["predict", { texts: ["a", 1] }, 400, "Cannot read body as texts[1] must be a string"],
    ["predict", { text: "a" }, 400, 'Cannot read body as its keys must be of texts: one is "text"'],
    [
      "predict",
      { texts: [long] },
      400,
      "Cannot read body as texts[0] must have at most 4000 characters: it has 4001",
    ],
    [
      "predict",
      { texts: Array(33).fill("a") },
      400,
      "Cannot read body as texts must be at most 32: there are 33",
    ],
    [
      "encode",
      { texts: ["a"], normalize: "l3" },
      400,
      "Cannot read body as normalize must be one of none, l1, l2",
    ],
    [
      "predict",
      { texts: ["x".repeat(LIMITS.bodyBytes)] },
      413,
      "Cannot read body as it must have at most 262144 bytes",
    ],
    ["none", { texts: ["a"] }, 404, "Cannot find /api/none"],
  ];
  await withServedApp(async ({ address, state }) => {
    for (const [route, body, status, message] of cases) {
      const answer = await post(`${address}api/${route}`, body);
      checkSchema("Error", answer.body);
      deepStrictEqual(
        [answer.status, (answer.body as { error: { message: string } }).error.message],
        [status, message],
      );
    }
    strictEqual((await post(`${address}api/predict`, "texts=a", "text/plain")).status, 415);
    const got = await fetch(`${address}api/predict`);
    deepStrictEqual([got.status, got.headers.get("Allow")], [405, "POST"]);
    checkSchema("Error", await got.json());

    state.service = null;
    const early = await post(`${address}api/predict`, { texts: ["a"] });
    strictEqual(early.status, 503);
    checkSchema("Error", early.body);
    const health = await (await fetch(`${address}api/health`)).json();
    checkSchema("Health", health);
    deepStrictEqual(health, { status: "starting", label: "train", done: 3, total: 10 });
  });
});

Deno.test("an answer that comes too late is given up", async () => {
  await withServedApp(async ({ address, state }) => {
    const { service } = state;
    ok(service);
    state.service = { ...service, predict: () => new Promise(() => {}) };
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
  await withServedApp(async ({ address, state }) => {
    const { service } = state;
    ok(service);
    for (
      const { patienceMs, name } of [
        { patienceMs: 100, name: "ClientGoneError" },
        { patienceMs: 10_000, name: "TimeoutError" },
      ]
    ) {
      const ended = Promise.withResolvers<unknown>();
      state.service = {
        ...service,
        predict: (_texts, signal) => {
          signal?.addEventListener("abort", () => ended.resolve(signal.reason));
          return new Promise(() => {});
        },
      };
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
  await withServedApp(async ({ address, state }) => {
    const { service } = state;
    ok(service);
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

    state.service = { ...service, predict: () => Promise.reject(new TypeError("internal: odd")) };
    const { status, body } = await post(`${address}api/predict`, { texts: ["a"] });
    strictEqual(status, 500);
    checkSchema("Error", body);
    deepStrictEqual(faults, ["TypeError: internal: odd"]);
  }, { onFault: (error) => faults.push(String(error)) });
});

Deno.test("page and report may load their own files alone, and the report runs nothing", async () => {
  await withServedApp(async ({ address }) => {
    const page = await fetch(address);
    const policy = page.headers.get("Content-Security-Policy") ?? "";
    match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    strictEqual(/unsafe/.test(policy), false);
    strictEqual(/<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/.test(await page.text()), false);
    const report = await fetch(`${address}report.html`);
    match(report.headers.get("Content-Security-Policy") ?? "", /default-src 'none'.*; sandbox$/);
    match(await report.text(), /The report/);
    for (const name of ["page.js", "page.css"]) {
      const file = await fetch(address + name);
      strictEqual(file.headers.get("X-Content-Type-Options"), "nosniff");
      ok((await file.text()).length > 1000);
    }
  });
});

Deno.test("a server that stops answers what is under way first", async () => {
  await withServedApp(async ({ address, state, stop }) => {
    const { service } = state;
    ok(service);
    const begun = Promise.withResolvers<void>(), go = Promise.withResolvers<void>();
    state.service = {
      ...service,
      predict: async (texts) => {
        begun.resolve();
        await go.promise;
        return service.predict(texts);
      },
    };
    const answer = post(`${address}api/predict`, { texts: ["a"] });
    await begun.promise;
    const stopped = stop();
    go.resolve();
    strictEqual((await answer).status, 200);
    await stopped;
  });
});
