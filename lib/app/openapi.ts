/**
 * OpenAPI 3.1 document of the API, for readers and for client generators.
 * @module
 */
import { NORMALIZE_MODES, POOLING_MODES, TASK_KINDS } from "@/config/config.ts";
import { OFFSET_UNITS, OFFSETS_NOTE } from "@/eval/offsets.ts";
import { ERROR_CODES, LIMITS } from "./contract.ts";

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

const text = { type: "string", maxLength: LIMITS.characters };
const texts = { type: "array", minItems: 1, maxItems: LIMITS.texts, items: text };
const pooling = { enum: POOLING_MODES };
const normalize = { enum: NORMALIZE_MODES };
const promptName = {
  type: ["string", "null"],
  description: "Name of the prompt put before each text; null for none. Default: the model's own.",
};
const offsets = { enum: OFFSET_UNITS, default: "utf16", description: OFFSETS_NOTE };
const tookMs = {
  ...number,
  minimum: 0,
  description: "Milliseconds from the arrival of the request to the response.",
};

const run = {
  ...string,
  description: "Name of a run listed by /api/runs. Default: the first one.",
};

/** Schema of a request with either `text` or `texts`. */
const question = (properties: Readonly<Record<string, unknown>>) => ({
  ...object({ text, texts, run, ...properties }, [
    "text",
    "texts",
    "run",
    ...Object.keys(properties),
  ]),
  oneOf: [{ required: ["text"] }, { required: ["texts"] }],
});

const SCHEMAS = {
  PredictRequest: question({ offsets }),
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
    start: {
      ...count,
      description: "Start offset in the text (inclusive), in the requested unit.",
    },
    end: { ...count, description: "End offset in the text (exclusive), in the requested unit." },
    probability: share,
  }),
  EncodeRequest: question({ pooling, normalize, promptName }),
  EncodeAnswer: object({
    pooling,
    normalize,
    promptName,
    embeddings: listOf(listOf(number)),
    tookMs,
  }),
  Model: object({
    run: string,
    tasks: listOf(object({ name: string, kind: { enum: TASK_KINDS }, labels: listOf(string) })),
    pooling,
    normalize,
    poolings: listOf(pooling),
    maxLength: { ...count, description: "Maximum input length in tokens." },
    examples: { ...listOf(string), description: "Example texts." },
    trainedOnSample: {
      type: "boolean",
      description: "True if the model was trained on the built-in sample of generated sentences.",
    },
    prompts: mapOf(string),
    defaultPromptName: promptName,
    includePrompt: {
      type: "boolean",
      description: "False if pooling ignores [CLS] and the tokens of the prompt.",
    },
  }),
  Runs: object({
    runs: { ...listOf(string), description: "Names of the runs, the default one first." },
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
  "403": refusal(
    "The Host header names another host, but the server only accepts requests from this machine",
  ),
};

const UNKNOWN_RUN = refusal("There is no run of that name");

const REFUSALS = {
  "400": refusal("The body is not UTF-8, not JSON or does not match the schema"),
  ...WRONG_HOST,
  "404": UNKNOWN_RUN,
  "405": refusal("A method other than POST"),
  "413": refusal(`The body has more than ${LIMITS.bodyBytes} bytes`),
  "415": refusal("A Content-Type other than application/json, or a compressed body"),
  "500": refusal("Internal server error"),
  "503": refusal("The model is not ready yet, or too many texts are waiting"),
  "504": refusal(`No answer within ${LIMITS.requestMs / 1000} seconds`),
};

const post = (summary: string, request: string, answer: string) => ({
  post: {
    summary,
    requestBody: { required: true, ...json(named(request)) },
    responses: { "200": { description: "Success", ...json(named(answer)) }, ...REFUSALS },
  },
});

const NOT_GET = refusal("A method other than GET");

const NOT_READY = { "503": refusal("The model is not ready yet") };

const get = (summary: string, schema: unknown, refusals = {}) => ({
  get: {
    summary,
    responses: {
      "200": { description: "Success", ...json(schema) },
      ...WRONG_HOST,
      "405": NOT_GET,
      ...refusals,
    },
  },
});

const readiness = (summary: string) => ({
  get: {
    summary,
    responses: {
      "200": { description: "Ready", ...json(named("Health")) },
      ...WRONG_HOST,
      "405": NOT_GET,
      "503": {
        description: "Starting, or failed to start. While starting, Retry-After says when to retry",
        ...json(named("Health")),
      },
    },
  },
});

/** Builds the OpenAPI document. */
export function describeApi() {
  return {
    openapi: "3.1.0",
    info: {
      title: "Multi-task sentence transformer",
      version: "1.0.0",
      description: "Text classification, named entity recognition and sentence embeddings.",
    },
    paths: {
      "/api/predict": post(
        "Predict labels and entities of texts",
        "PredictRequest",
        "PredictAnswer",
      ),
      "/api/encode": post("Compute sentence embeddings", "EncodeRequest", "EncodeAnswer"),
      "/api/runs": get("List the available runs", named("Runs"), NOT_READY),
      "/api/model": {
        get: {
          ...get("Describe the model of a run", named("Model")).get,
          parameters: [{ name: "run", in: "query", schema: run }],
          responses: {
            "200": { description: "The model", ...json(named("Model")) },
            ...WRONG_HOST,
            "404": UNKNOWN_RUN,
            "405": NOT_GET,
            "500": refusal("The run cannot be opened"),
            ...NOT_READY,
          },
        },
      },
      "/api/health": readiness("Readiness, same as /api/health/ready"),
      "/api/health/ready": readiness("Readiness: ready if requests are answered now"),
      "/api/health/live": get(
        "Liveness: succeeds while the process runs, whatever the state of the model",
        named("Health"),
      ),
      "/api/openapi.json": get("This document", { type: "object" }),
    },
    components: { schemas: SCHEMAS },
  };
}
