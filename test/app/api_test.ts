import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { LIMITS } from "@/app/contract.ts";
import { describeApi } from "@/app/openapi.ts";
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import { createTextPredictor } from "@/eval/predict_examples.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import { checkSchema, post } from "./ask_api.ts";
import { withSavedModel } from "../eval/saved_model.ts";
import { withServedApp, withServedModel } from "./served_app.ts";

const TEXTS = ["Ada Lovelace wrote to Babbage.", "yes", "<script>alert(1)</script> São Paulo"];

Deno.test("the API returns the model's results in the format of the OpenAPI document", async () => {
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

Deno.test("the API prepends the default prompt, the requested one, or none", async () => {
  const prompts = {
    prompts: { query: "yes: ", document: "wrote to " },
    defaultPromptName: "query",
    includePrompt: true,
  };
  await withSavedModel([0, 1, -1], (saved) =>
    withServedModel(saved, async ({ address }) => {
      const health = await (await fetch(`${address}api/health`)).json();
      checkSchema("Health", health);
      deepStrictEqual(
        [health.model.prompts, health.model.defaultPromptName, health.model.includePrompt],
        Object.values(prompts),
      );
      for (
        const [asked, promptName, prompt] of [
          [{}, "query", "yes: "],
          [{ promptName: "document" }, "document", "wrote to "],
          [{ promptName: null }, null, ""],
        ] as const
      ) {
        checkSchema("EncodeRequest", { texts: TEXTS, ...asked });
        const { body } = await post(`${address}api/encode`, { texts: TEXTS, ...asked });
        checkSchema("EncodeAnswer", body);
        const answer = body as { embeddings: number[][]; promptName: string | null };
        strictEqual(answer.promptName, promptName);
        const whole = TEXTS.map((text) => prompt + text);
        const wanted = await createSentenceEncoder(saved, { prompt: "" }).encode(whole);
        answer.embeddings.forEach((row, i) =>
          row.forEach((x, k) => ok(Math.abs(x - (wanted[i]?.[k] ?? NaN)) < 1e-5))
        );
      }
      const refused = await post(`${address}api/encode`, { text: "a", promptName: "Query" });
      deepStrictEqual([refused.status, refused.body], [400, {
        error: {
          code: "bad_request",
          message: "promptName must be null or one of query, document",
        },
      }]);
    }), prompts);
});

Deno.test("concurrent requests each get their own answer", async () => {
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

Deno.test("the API returns entity offsets in UTF-16 code units or in code points", async () => {
  await withServedApp(async ({ address }) => {
    const placesOf = async (body: unknown) => {
      const answer = await post(`${address}api/predict`, body);
      checkSchema("PredictRequest", body);
      checkSchema("PredictAnswer", answer.body);
      const { predictions } = answer.body as { predictions: TextPrediction[] };
      return Object.values(predictions[0]?.entities ?? {}).flat()
        .map(({ text, start, end }) => [text, start, end]);
    };
    const text = "😀 Ada";
    const units = await placesOf({ text });
    deepStrictEqual(units.at(-1), ["Ada", 3, 6], "the premise: an entity after an emoji");
    deepStrictEqual(await placesOf({ text, offsets: "utf16" }), units);
    deepStrictEqual((await placesOf({ text, offsets: "codepoints" })).at(-1), ["Ada", 2, 5]);
  });
});

Deno.test("invalid requests are rejected with a status and a message", async () => {
  const long = "x".repeat(LIMITS.characters + 1);
  const cases: [string, unknown, number, string][] = [
    ["predict", "{", 400, "The body is not valid JSON"],
    ["predict", [], 400, "The body must be a JSON object"],
    [
      "predict",
      { texts: [] },
      400,
      "texts must be a non-empty list of strings",
    ],
    ["predict", { texts: ["a", 1] }, 400, "texts[1] must be a string"],
    ["predict", {}, 400, "The body needs text (a string) or texts (a list of strings)"],
    [
      "predict",
      { text: "a", texts: ["a"] },
      400,
      "The body has both text and texts: send only one of them",
    ],
    ["predict", { text: 1 }, 400, "text must be a string"],
    [
      "predict",
      { text: "a", pooling: "mean" },
      400,
      'Unknown key "pooling": allowed are text, texts, run, offsets',
    ],
    [
      "encode",
      { text: "a", run: 1 },
      400,
      "run must be a string: GET /api/runs lists the names",
    ],
    [
      "predict",
      { text: "a", run: "../tiny" },
      404,
      'There is no run "../tiny": choose one of tiny, other, broken',
    ],
    [
      "predict",
      { text: long },
      400,
      "text is too long: it has 4001 characters, at most 4000 are allowed",
    ],
    [
      "predict",
      { texts: [long] },
      400,
      "texts[0] is too long: it has 4001 characters, at most 4000 are allowed",
    ],
    [
      "predict",
      { texts: Array(33).fill("a") },
      400,
      "texts is too long: it has 33 entries, at most 32 are allowed",
    ],
    [
      "encode",
      { texts: ["a"], normalize: "l3" },
      400,
      "normalize must be one of none, l1, l2",
    ],
    [
      "predict",
      { texts: ["x".repeat(LIMITS.bodyBytes)] },
      413,
      "The body is too large: at most 262144 bytes are allowed",
    ],
    [
      "encode",
      { texts: ["a"], normalise: "l2" },
      400,
      'Unknown key "normalise" (did you mean normalize?): allowed are text, texts, run, pooling, ' +
      "normalize, promptName",
    ],
    [
      "predict",
      { text: "a", offsets: "code-point" },
      400,
      "offsets must be one of utf16, codepoints (did you mean codepoints?)",
    ],
    ["none", { texts: ["a"] }, 404, "Not found: /api/none"],
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

    for (const route of ["health", "health/live", "runs", "model", "openapi.json"]) {
      const posted = await post(`${address}api/${route}`, {});
      deepStrictEqual([posted.status, posted.headers.get("Allow")], [405, "GET, HEAD"]);
      checkSchema("Error", posted.body);
      strictEqual((await fetch(`${address}api/${route}`, { method: "HEAD" })).status, 200);
    }

    state.run = null;
    const early = await post(`${address}api/predict`, { texts: ["a"] });
    strictEqual(early.status, 503);
    checkSchema("Error", early.body);
  });
});

Deno.test("predict and encode treat one text as a list of one", async () => {
  await withServedApp(async ({ address }) => {
    for (const route of ["predict", "encode"]) {
      checkSchema(route === "predict" ? "PredictRequest" : "EncodeRequest", { text: "Ada." });
      const { tookMs: _, ...one } = (await post(`${address}api/${route}`, { text: "Ada." }))
        .body as { tookMs: number };
      const { tookMs: __, ...list } = (await post(`${address}api/${route}`, { texts: ["Ada."] }))
        .body as { tookMs: number };
      deepStrictEqual(one, list);
    }
  });
});

Deno.test("page and report may only load their own files, and the report runs no scripts", async () => {
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
