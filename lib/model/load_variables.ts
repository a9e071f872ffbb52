/**
 * From tensors in files to the variables of a model, after checking that they are the right ones.
 * @module
 */
import { makeVariables, type Variables } from "@/model/build.ts";
import type { ParameterSpec } from "@/model/parameter_specs.ts";
import type { SafetensorsFile } from "@/model/safetensors.ts";

/** Where a parameter's values lie: under `name` in `file`. */
export type TensorPlace = { readonly file: SafetensorsFile; readonly name: string };

/** What is loaded, for errors. */
export type LoadOptions = {
  /** "encoder", "heads", … */
  readonly what: string;
  /** The file or index of the tensors. */
  readonly path: string;
  /** The file that says which tensors there must be. */
  readonly like: string;
};

/** Every difference between wanted and present tensors, in words. */
function listFaults(
  specs: readonly ParameterSpec[],
  places: ReadonlyMap<string, TensorPlace>,
): readonly string[] {
  const missing = specs.filter(({ name }) => !places.has(name)).map(({ name }) => name);
  const known = new Set(specs.map(({ name }) => name));
  const extra = [...places].filter(([name]) => !known.has(name)).map(([, place]) => place.name);
  const misshapen = specs.flatMap(({ name, shape }) => {
    const place = places.get(name);
    const present = place?.file.entries.get(place.name)?.shape;
    return present === undefined || `${present}` === `${shape}`
      ? []
      : [`${name} [${present.join(", ")}], wanted [${shape.join(", ")}]`];
  });
  return [
    ...(missing.length === 0 ? [] : [`missing ${missing.join(", ")}`]),
    ...(extra.length === 0 ? [] : [`not known ${extra.join(", ")}`]),
    ...(misshapen.length === 0 ? [] : [`misshapen ${misshapen.join("; ")}`]),
  ];
}

/**
 * Makes the variables of all `specs`, reading one tensor after the other.
 *
 * @param places where each parameter lies, by parameter name
 * @throws {RangeError} naming every missing, extra or misshapen tensor
 */
export async function loadVariables(
  specs: readonly ParameterSpec[],
  places: ReadonlyMap<string, TensorPlace>,
  { what, path, like }: LoadOptions,
): Promise<Variables> {
  const faults = listFaults(specs, places);
  if (faults.length > 0) {
    throw new RangeError(
      `Cannot load ${what} as ${path} must hold the tensors that ${like} describes: ${
        faults.join("; ")
      }`,
    );
  }
  return await makeVariables(specs, ({ name }) => {
    const place = places.get(name);
    if (place === undefined) throw new TypeError(`internal: no place for ${name}`);
    return place.file.read(place.name);
  });
}

/** The tensors of one file, each under its own name. */
export function placesOf(file: SafetensorsFile): ReadonlyMap<string, TensorPlace> {
  return new Map([...file.entries.keys()].map((name) => [name, { file, name }]));
}
