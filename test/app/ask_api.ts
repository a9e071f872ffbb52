/**
 * Asks the API of a server, and checks answers by its document.
 * @module
 */
import { ok } from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describeApi } from "@/app/openapi.ts";

const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: "api", ...describeApi() });

/** Raises where `value` is not as the document's schema of this name says. */
export function checkSchema(name: string, value: unknown): void {
  const validate = ajv.getSchema(`api#/components/schemas/${name}`);
  ok(validate, `the document has ${name}`);
  ok(validate(value), `${name}: ${ajv.errorsText(validate.errors)}`);
}

/** An answer with its body read as JSON. */
export type Answer = {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
};

/** Posts `body`, a string as it is and all else as JSON. */
export async function post(url: string, body: unknown, type = "application/json"): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": type },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}
