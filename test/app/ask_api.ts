/**
 * Sends requests to the API of a server and validates responses against the OpenAPI document.
 * @module
 */
import { ok } from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describeApi } from "@/app/openapi.ts";

const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: "api", ...describeApi() });

/** Throws if `value` does not match the document's schema of this name. */
export function checkSchema(name: string, value: unknown): void {
  const validate = ajv.getSchema(`api#/components/schemas/${name}`);
  ok(validate, `the document has ${name}`);
  ok(validate(value), `${name}: ${ajv.errorsText(validate.errors)}`);
}

/** Response with its body parsed as JSON. */
export type Answer = {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
};

/** Posts `body`: strings unchanged, other values as JSON. */
export async function post(url: string, body: unknown, type = "application/json"): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": type },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}
