/**
 * Bodies of requests, checked: what is not as the OpenAPI document says is refused in a sentence.
 * @module
 */
import { NORMALIZE_MODES, POOLING_MODES } from "@/config.ts";
import { OFFSET_UNITS, type OffsetUnit } from "@/eval/offsets.ts";
import { decodeText, EncodingError } from "@/plain_text.ts";
import { didYouMean } from "@/suggest.ts";
import type { ModelInfo } from "./contract.ts";
import type { EncodeChoice } from "./model_service.ts";
import { LIMITS } from "./limits.ts";

/** A body that cannot be answered. */
export class BadRequestError extends Error {
  override readonly name = "BadRequestError";
}

/** Characters of an unknown word that are looked at and repeated. */
const LONGEST_WORD = 40;

/** The JSON of a body. */
export function readJsonBytes(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeText(bytes, { what: "body", name: "it" }));
  } catch (error) {
    if (error instanceof EncodingError) throw new BadRequestError(error.message);
    if (!(error instanceof SyntaxError)) throw error;
    throw new BadRequestError("Cannot read body as it must be JSON");
  }
}

function readBody(body: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new BadRequestError("Cannot read body as it must be a JSON object");
  }
  const odd = Object.keys(body).find((key) => !keys.includes(key));
  if (odd !== undefined) {
    throw new BadRequestError(
      `Cannot read body as its keys must be of ${keys.join(", ")}: one is ${
        JSON.stringify(odd.slice(0, LONGEST_WORD))
      }${didYouMean(odd.slice(0, LONGEST_WORD), keys)}`,
    );
  }
  return { ...body };
}

function checkText(text: unknown, key: string): string {
  if (typeof text !== "string") {
    throw new BadRequestError(`Cannot read body as ${key} must be a string`);
  }
  if (text.length > LIMITS.characters) {
    throw new BadRequestError(
      `Cannot read body as ${key} must have at most ${LIMITS.characters} characters: ` +
        `it has ${text.length}`,
    );
  }
  return text;
}

/** The one `text` of a body, or its list of `texts`. */
function readTexts({ text, texts }: Readonly<Record<string, unknown>>): readonly string[] {
  if (text !== undefined && texts !== undefined) {
    throw new BadRequestError("Cannot read body as it must have either text or texts: it has both");
  }
  if (text !== undefined) return [checkText(text, "text")];
  if (texts === undefined) {
    throw new BadRequestError("Cannot read body as it must have a text or a list of texts");
  }
  if (!Array.isArray(texts) || texts.length === 0) {
    throw new BadRequestError("Cannot read body as texts must be a list of at least one text");
  }
  if (texts.length > LIMITS.texts) {
    throw new BadRequestError(
      `Cannot read body as texts must be at most ${LIMITS.texts}: there are ${texts.length}`,
    );
  }
  return texts.map((each: unknown, i) => checkText(each, `texts[${i}]`));
}

/** The run that a body names; null: the server's default. */
export function readRunName(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("run" in body)) return null;
  const { run } = body;
  if (typeof run === "string") return run;
  throw new BadRequestError("Cannot read body as run must be a string: GET /api/runs lists them");
}

function readChoice<T extends string>(
  key: string,
  value: unknown,
  options: { readonly choices: readonly T[]; readonly byDefault: T },
): T {
  const { choices, byDefault } = options;
  const found = value === undefined ? byDefault : choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new BadRequestError(
    `Cannot read body as ${key} must be one of ${choices.join(", ")}${
      typeof value === "string" ? didYouMean(value.slice(0, LONGEST_WORD), choices) : ""
    }`,
  );
}

function readPromptName(name: unknown, info: ModelInfo): string | null {
  if (name === undefined) return info.defaultPromptName;
  if (name === null || (typeof name === "string" && Object.hasOwn(info.prompts, name))) return name;
  const known = Object.keys(info.prompts).join(", ");
  throw new BadRequestError(`Cannot read body as promptName must be null or one of ${known}`);
}

/** Refuses a prediction by a model that has no tasks. */
export function checkTasks({ run, tasks }: ModelInfo): void {
  if (tasks.length > 0) return;
  throw new BadRequestError(
    `Cannot predict as the model must have tasks: ${run} is an encoder alone; ask /api/encode`,
  );
}

/** The texts of a request to `/api/predict`, and what the places of entities count. */
export function readPredictRequest(
  body: unknown,
): { readonly texts: readonly string[]; readonly offsets: OffsetUnit } {
  const { offsets, ...rest } = readBody(body, ["text", "texts", "run", "offsets"]);
  return {
    texts: readTexts(rest),
    offsets: readChoice("offsets", offsets, { choices: OFFSET_UNITS, byDefault: "utf16" }),
  };
}

/** The texts of a request to `/api/encode` and how to encode them. */
export function readEncodeRequest(
  body: unknown,
  info: ModelInfo,
): { readonly texts: readonly string[]; readonly choice: EncodeChoice } {
  const keys = ["text", "texts", "run", "pooling", "normalize", "promptName"];
  const { pooling, normalize, promptName, ...rest } = readBody(body, keys);
  const choices = POOLING_MODES.filter((mode) => info.poolings.includes(mode));
  return {
    texts: readTexts(rest),
    choice: {
      pooling: readChoice("pooling", pooling, { choices, byDefault: info.pooling }),
      normalize: readChoice("normalize", normalize, {
        choices: NORMALIZE_MODES,
        byDefault: info.normalize,
      }),
      promptName: readPromptName(promptName, info),
    },
  };
}
