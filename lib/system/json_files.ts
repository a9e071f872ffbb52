/**
 * JSON files that people write or that must have a certain form: with comments, or checked by a schema.
 * @module
 */
import { parse as parseJsonWithComments, type ParseError, printParseErrorCode } from "jsonc-parser";
import type { ZodType } from "zod";
import { validate } from "@/schema.ts";
import { readJson, readText } from "./files.ts";

/**
 * The content of a JSON file, checked by a schema. Errors name the file and the key.
 *
 * @param what Role of the file in errors.
 */
export async function readJsonBy<T>(schema: ZodType<T>, path: string, what: string): Promise<T> {
  const where = `Cannot read ${what}: in ${path}, `;
  return validate(schema, await readJson(path, what), { where });
}

/**
 * The parsed content of a JSON file that may have comments and trailing commas, such as a configuration written by hand.
 *
 * @throws {SyntaxError} With the line and column of the first error.
 */
export async function readJsonWithComments(path: string, what: string): Promise<unknown> {
  const text = await readText(path, what);
  const errors: ParseError[] = [];
  const value: unknown = parseJsonWithComments(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first === undefined && value !== undefined) return value;
  if (first === undefined) throw new SyntaxError(`Cannot read ${what}: ${path} is empty`);
  const before = text.slice(0, first.offset).split("\n");
  const reason = printParseErrorCode(first.error).replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toLowerCase();
  throw new SyntaxError(
    `Cannot read ${what}: ${path} must be JSON, but line ${before.length}, column ${
      (before.at(-1)?.length ?? 0) + 1
    }: ${reason}`,
  );
}
