/**
 * Validates request bodies. A body that violates the OpenAPI document is rejected with a message that says why.
 * @module
 */
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { OFFSET_UNITS, type OffsetUnit } from "@/eval/offsets.ts";
import { decodeText, EncodingError } from "@/plain_text.ts";
import { didYouMean } from "@/suggest.ts";
import { LIMITS, type ModelInfo } from "./contract.ts";
import type { EncodeChoice } from "./model_service.ts";

/** Thrown if a request body is invalid. */
export class BadRequestError extends Error {
  override readonly name = "BadRequestError";
}

/** Largest number of characters of an unknown word that is compared and quoted. */
const LONGEST_WORD = 40;

/** Parses the bytes of a body as JSON. */
export function readJsonBytes(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeText(bytes, { what: "body", name: "it" }));
  } catch (error) {
    if (error instanceof EncodingError) throw new BadRequestError(error.message);
    if (!(error instanceof SyntaxError)) throw error;
    throw new BadRequestError("The body is not valid JSON");
  }
}

function readBody(body: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new BadRequestError("The body must be a JSON object");
  }
  const unknown = Object.keys(body).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new BadRequestError(
      `Unknown key ${JSON.stringify(unknown.slice(0, LONGEST_WORD))}${
        didYouMean(unknown.slice(0, LONGEST_WORD), keys)
      }: allowed are ${keys.join(", ")}`,
    );
  }
  return { ...body };
}

function checkText(text: unknown, key: string): string {
  if (typeof text !== "string") {
    throw new BadRequestError(`${key} must be a string`);
  }
  if (text.length > LIMITS.characters) {
    throw new BadRequestError(
      `${key} is too long: it has ${text.length} characters, at most ${LIMITS.characters} are allowed`,
    );
  }
  return text;
}

/** Reads the field `text` or the list `texts` of a body. */
function readTexts({ text, texts }: Readonly<Record<string, unknown>>): readonly string[] {
  if (text !== undefined && texts !== undefined) {
    throw new BadRequestError("The body has both text and texts: send only one of them");
  }
  if (text !== undefined) return [checkText(text, "text")];
  if (texts === undefined) {
    throw new BadRequestError("The body needs text (a string) or texts (a list of strings)");
  }
  if (!Array.isArray(texts) || texts.length === 0) {
    throw new BadRequestError("texts must be a non-empty list of strings");
  }
  if (texts.length > LIMITS.texts) {
    throw new BadRequestError(
      `texts is too long: it has ${texts.length} entries, at most ${LIMITS.texts} are allowed`,
    );
  }
  return texts.map((each: unknown, i) => checkText(each, `texts[${i}]`));
}

/** Name of the run that a body requests; null for the server's default. */
export function readRunName(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("run" in body)) return null;
  const { run } = body;
  if (typeof run === "string") return run;
  throw new BadRequestError("run must be a string: GET /api/runs lists the names");
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
    `${key} must be one of ${choices.join(", ")}${
      typeof value === "string" ? didYouMean(value.slice(0, LONGEST_WORD), choices) : ""
    }`,
  );
}

function readPromptName(name: unknown, info: ModelInfo): string | null {
  if (name === undefined) return info.defaultPromptName;
  if (name === null || (typeof name === "string" && Object.hasOwn(info.prompts, name))) return name;
  const known = Object.keys(info.prompts).join(", ");
  throw new BadRequestError(`promptName must be null or one of ${known}`);
}

/** Throws if the model has no tasks, so that it cannot predict. */
export function checkTasks({ run, tasks }: ModelInfo): void {
  if (tasks.length > 0) return;
  throw new BadRequestError(
    `Run ${run} cannot predict: its model is an encoder without tasks; use /api/encode`,
  );
}

/** Reads a request to `/api/predict`: its texts, and the unit of entity offsets in the response. */
export function readPredictRequest(
  body: unknown,
): { readonly texts: readonly string[]; readonly offsets: OffsetUnit } {
  const { offsets, ...rest } = readBody(body, ["text", "texts", "run", "offsets"]);
  return {
    texts: readTexts(rest),
    offsets: readChoice("offsets", offsets, { choices: OFFSET_UNITS, byDefault: "utf16" }),
  };
}

/** Reads a request to `/api/encode`: its texts and the encoding settings. */
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
