import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { checkSchema, post } from "./ask_api.ts";
import { withServedApp } from "./served_app.ts";

Deno.test("readiness is 503 with Retry-After until the model is open, and liveness is always 200", async () => {
  await withServedApp(async ({ address, state, runs: { tiny } }) => {
    const ask = async (route: string) => {
      const answer = await fetch(`${address}api/${route}`);
      const body = await answer.json();
      checkSchema("Health", body);
      return { status: answer.status, retryAfter: answer.headers.get("Retry-After"), body };
    };
    const states = [
      { status: 503, retryAfter: "1", body: state.waiting },
      { status: 503, retryAfter: null, body: { status: "failed", message: "No disk." } },
      { status: 200, retryAfter: null, body: { status: "ready", model: tiny.service.info } },
    ] as const;
    for (const { status, retryAfter, body } of states) {
      state.run = body.status === "ready" ? tiny : null;
      if (body.status !== "ready") state.waiting = body;
      for (const route of ["health", "health/ready"]) {
        deepStrictEqual(await ask(route), { status, retryAfter, body }, `${route} ${body.status}`);
      }
      deepStrictEqual(await ask("health/live"), { status: 200, retryAfter: null, body });
    }
  });
});

Deno.test("requests can name a run, and each run has its own model, report and card", async () => {
  const faults: string[] = [];
  await withServedApp(async ({ address, runs }) => {
    const read = async (path: string) => await (await fetch(address + path)).json();
    const listed = await read("api/runs");
    checkSchema("Runs", listed);
    deepStrictEqual(listed, { runs: ["tiny", "other", "broken"] });
    const model = await read("api/model?run=other");
    checkSchema("Model", model);
    deepStrictEqual(model, JSON.parse(JSON.stringify(runs.other.service.info)));
    deepStrictEqual((await read("api/model")).run, "tiny");
    const unknown = await fetch(`${address}api/model?run=none`);
    strictEqual(unknown.status, 404);
    checkSchema("Error", await unknown.json());
    const { status } = await post(`${address}api/predict`, { text: "Ada.", run: "other" });
    strictEqual(status, 200);
    match(await (await fetch(`${address}card.html?run=other`)).text(), /The card/);
    const broken = await post(`${address}api/predict`, { text: "Ada.", run: "broken" });
    checkSchema("Error", broken.body);
    deepStrictEqual([broken.status, broken.body], [500, {
      error: {
        code: "internal",
        message: "Cannot open run broken: see the server's terminal for the reason",
      },
    }]);
    deepStrictEqual(faults, ["Cannot read model.safetensors: it is cut"]);
  }, { onInternalError: ({ message }) => faults.push(message) });
});

Deno.test("a model without tasks encodes and rejects predictions", async () => {
  await withServedApp(async ({ address, state, runs: { tiny } }) => {
    const { service } = tiny;
    state.run = { ...tiny, service: { ...service, info: { ...service.info, tasks: [] } } };
    strictEqual((await post(`${address}api/encode`, { text: "Ada." })).status, 200);
    const { status, body } = await post(`${address}api/predict`, { text: "Ada." });
    deepStrictEqual([status, body], [400, {
      error: {
        code: "bad_request",
        message: "Run tiny cannot predict: its model is an encoder without tasks; use /api/encode",
      },
    }]);
    state.run = null;
    strictEqual((await fetch(`${address}api/runs`)).status, 503);
  });
});
