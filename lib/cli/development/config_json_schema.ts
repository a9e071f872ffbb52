/**
 * Generates `lib/config/config.schema.json`, by which editors complete and check configuration files. Types and ranges come
 * from the schema of configurations, descriptions from the comments in `config.ts`. A test checks that the file is up to
 * date; run this file to rewrite it.
 * @module
 */
import { fileURLToPath } from "node:url";
import { RUN_SCHEMA } from "@/config/config_schema.ts";
import { isObject, toJsonSchema } from "@/schema.ts";
import { writeFileAtomic } from "@/system/files.ts";

const CONFIG_TYPES = new URL("../../config/config.ts", import.meta.url);

/** Path of the JSON Schema. */
export const CONFIG_JSON_SCHEMA = fileURLToPath(
  new URL("../../config/config.schema.json", import.meta.url),
);

type Json = { readonly [key: string]: unknown };

/** A documented key: its comment and the types that its value may have. */
type Key = { readonly description: string; readonly types: readonly string[] };

/** Keys of object types, by the name of the type. */
type Types = ReadonlyMap<string, ReadonlyMap<string, Key>>;

/** Composes the JSON Schema of a configuration file, in which all keys of the preset may be missing. */
export async function composeConfigSchema(): Promise<Json> {
  const { $schema: _, properties, ...schema } = makePartial(
    document(toJsonSchema(RUN_SCHEMA) as Json, ["RunConfig"], await readTypes()),
  );
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of a run",
    description: "Overrides of a preset: objects are merged, lists are replaced.",
    ...schema,
    properties: {
      $schema: { type: "string", description: "Address of this JSON Schema, for editors." },
      ...properties as Json,
    },
  };
}

/** Reads the comments of all keys in `config.ts` by `deno doc`. */
async function readTypes(): Promise<Types> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", CONFIG_TYPES.href],
  }).output();
  if (!success) throw new Error(`Cannot read comments: ${new TextDecoder().decode(stderr)}`);
  const found = new Map<string, ReadonlyMap<string, Key>>();
  for (const node of objectsIn(JSON.parse(new TextDecoder().decode(stdout)))) {
    const [declaration] = objectsIn(node.declarations);
    if (typeof node.name !== "string" || declaration?.kind !== "typeAlias") continue;
    found.set(node.name, readKeys(declaration.def));
  }
  return found;
}

/** The keys of a type: its own, or those of the types that it is a union of. */
function readKeys(definition: unknown): ReadonlyMap<string, Key> {
  return new Map(
    objectsIn(definition).flatMap(({ name, jsDoc, tsType }) => {
      if (typeof name !== "string" || !isObject(jsDoc) || typeof jsDoc.doc !== "string") return [];
      const types = objectsIn(tsType).flatMap(({ typeName }) =>
        typeof typeName === "string" ? [typeName] : []
      );
      return [[name, { description: jsDoc.doc.replaceAll("\n", " "), types }]];
    }),
  );
}

/** All objects in a value, from the outermost inward. */
function objectsIn(value: unknown): readonly Json[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  return isObject(value) ? [value, ...Object.values(value).flatMap(objectsIn)] : [];
}

/** Adds the comments of types to a schema whose value has one of these types. */
function document(node: Json, names: readonly string[], types: Types): Json {
  const below = (value: unknown, names: readonly string[]): unknown =>
    Array.isArray(value)
      ? value.map((each) => below(each, names))
      : isObject(value)
      ? document(value, names, types)
      : value;
  const describeKey = ([key, value]: [string, unknown]): [string, unknown] => {
    const documented = names.flatMap((name) => types.get(name)?.get(key) ?? []);
    const [{ description } = { description: undefined }] = documented;
    const inner = below(value, documented.flatMap(({ types }) => types));
    return [key, description === undefined ? inner : { description, ...inner as Json }];
  };
  return Object.fromEntries(
    Object.entries(node).map(([keyword, value]) => {
      if (keyword === "properties" && isObject(value)) {
        return [keyword, Object.fromEntries(Object.entries(value).map(describeKey))];
      }
      return [keyword, ["items", "anyOf", "oneOf"].includes(keyword) ? below(value, names) : value];
    }),
  );
}

/** Lets keys be missing, except in list items and in objects that a preset may not have. */
function makePartial({ required: _, properties, ...node }: Json): Json {
  if (!isObject(properties)) return node;
  const partial = Object.entries(properties).map(([key, value]) => [
    key,
    isObject(value) ? makePartial(value) : value,
  ]);
  return { ...node, properties: Object.fromEntries(partial) };
}

/** The content of the file. */
export const formatConfigSchema = (schema: Json) => JSON.stringify(schema, null, 2) + "\n";

if (import.meta.main) {
  await writeFileAtomic(CONFIG_JSON_SCHEMA, formatConfigSchema(await composeConfigSchema()));
}
