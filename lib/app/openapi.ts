/**
 * The API as an OpenAPI 3.1 document, for people and for programs that write clients.
 * @module
 */
import { NORMALIZE_MODES, POOLING_MODES, TASK_KINDS } from "@/config.ts";
import { ERROR_CODES } from "./contract.ts";
import { LIMITS } from "./limits.ts";

const number = { type: "number" };
const string = { type: "string" };
const share = { type: "number", minimum: 0, maximum: 1 };
const count = { type: "integer", minimum: 0 };

const object = (
  properties: Readonly<Record<string, unknown>>,
  optional: readonly string[] = [],
) => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  additionalProperties: false,
});
const listOf = (items: unknown) => ({ type: "array", items });
const mapOf = (values: unknown) => ({ type: "object", additionalProperties: values });
const named = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: unknown) => ({ content: { "application/json": { schema } } });

const texts = {
  type: "array",
  minItems: 1,
  maxItems: LIMITS.texts,
  items: { type: "string", maxLength: LIMITS.characters },
};
const pooling = { enum: POOLING_MODES };
const normalize = { enum: NORMALIZE_MODES };
const tookMs = { ...number, minimum: 0, description: "From the request's arrival to its answer." };

const SCHEMAS = {
  PredictRequest: object({ texts }),
  PredictAnswer: object({ predictions: listOf(named("Prediction")), tookMs }),
  Prediction: object({
    text: string,
    labels: mapOf(named("Label")),
    entities: mapOf(listOf(named("Entity"))),
  }),
  Label: object({ label: string, probability: share, probabilities: mapOf(share) }),
  Entity: object({
    type: string,
    text: string,
    start: { ...count, description: "First UTF-16 unit in the text." },
    end: { ...count, description: "UTF-16 unit after the last." },
    probability: share,
  }),
  EncodeRequest: object({ texts, pooling, normalize }, ["pooling", "normalize"]),
  EncodeAnswer: object({ pooling, normalize, embeddings: listOf(listOf(number)), tookMs }),
  Model: object({
    run: string,
    tasks: listOf(object({ name: string, kind: { enum: TASK_KINDS }, labels: listOf(string) })),
    pooling,
    normalize,
    poolings: listOf(pooling),
    maxLength: count,
  }),
  Health: {
    oneOf: [
      object({ status: { const: "ready" }, model: named("Model") }),
      object({ status: { const: "starting" }, label: string, done: number, total: number }),
      object({ status: { const: "failed" }, message: string }),
    ],
  },
  Error: object({ error: object({ code: { enum: ERROR_CODES }, message: string }) }),
};

const refusal = (description: string) => ({ description, ...json(named("Error")) });

const WRONG_HOST = {
  "403": refusal("Host names another machine, though the server is for this one alone"),
};

const REFUSALS = {
  "400": refusal("The body is not UTF-8, not JSON or not as the schema says"),
  ...WRONG_HOST,
  "405": refusal("Another method than POST"),
  "413": refusal(`A body of more than ${LIMITS.bodyBytes} bytes`),
  "415": refusal("A Content-Type other than application/json, or a compressed body"),
  "500": refusal("A fault of the server"),
  "503": refusal("The model is not there yet, or too many texts wait"),
  "504": refusal(`No answer within ${LIMITS.requestMs / 1000} seconds`),
};

const question = (summary: string, request: string, answer: string) => ({
  post: {
    summary,
    requestBody: { required: true, ...json(named(request)) },
    responses: { "200": { description: "The answer", ...json(named(answer)) }, ...REFUSALS },
  },
});

/** The OpenAPI document. */
export function describeApi() {
  return {
    openapi: "3.1.0",
    info: {
      title: "Multi-task sentence transformer",
      version: "1.0.0",
      description: "Topics, named entities and sentence embeddings of texts.",
    },
    paths: {
      "/api/predict": question("Topic and entities of texts", "PredictRequest", "PredictAnswer"),
      "/api/encode": question("Sentence embeddings of texts", "EncodeRequest", "EncodeAnswer"),
      "/api/health": {
        get: {
          summary: "Where the server stands and which model it has",
          responses: {
            "200": { description: "Ready or starting", ...json(named("Health")) },
            ...WRONG_HOST,
            "405": refusal("Another method than GET"),
            "503": { description: "Failed to start", ...json(named("Health")) },
          },
        },
      },
      "/api/openapi.json": {
        get: {
          summary: "This document",
          responses: {
            "200": { description: "OpenAPI 3.1", ...json({ type: "object" }) },
            ...WRONG_HOST,
            "405": refusal("Another method than GET"),
          },
        },
      },
    },
    components: { schemas: SCHEMAS },
  };
}
