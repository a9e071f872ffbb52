/**
 * Loads tensors from files into the variables of a model, after checking their names and shapes.
 * @module
 */
import { makeVariables, type Variables } from "@/model/build.ts";
import type { ParameterSpec } from "@/model/parameter_specs.ts";
import type { SafetensorsFile } from "@/model/safetensors.ts";

/** File and tensor name of a parameter's values. */
export type TensorLocation = { readonly file: SafetensorsFile; readonly name: string };

/** Texts for errors. */
type LoadOptions = {
  /** Part of the model in errors: "encoder", "heads", … */
  readonly what: string;
  /** Path of the file or index with the tensors. */
  readonly path: string;
  /** The file that defines which tensors are required. */
  readonly definedBy: string;
};

/** Describes all differences between the required and the present tensors. */
function listFaults(
  specs: readonly ParameterSpec[],
  locations: ReadonlyMap<string, TensorLocation>,
): readonly string[] {
  const missing = specs.filter(({ name }) => !locations.has(name)).map(({ name }) => name);
  const known = new Set(specs.map(({ name }) => name));
  const extra = [...locations].filter(([name]) => !known.has(name)).map(([, location]) =>
    location.name
  );
  const misshapen = specs.flatMap(({ name, shape }) => {
    const location = locations.get(name);
    const present = location?.file.entries.get(location.name)?.shape;
    return present === undefined || `${present}` === `${shape}`
      ? []
      : [`${name} [${present.join(", ")}], expected [${shape.join(", ")}]`];
  });
  return [
    ...(missing.length === 0 ? [] : [`missing ${missing.join(", ")}`]),
    ...(extra.length === 0 ? [] : [`unknown ${extra.join(", ")}`]),
    ...(misshapen.length === 0 ? [] : [`wrong shape ${misshapen.join("; ")}`]),
  ];
}

/**
 * Creates the variables of all `specs`, reading one tensor at a time.
 *
 * @param locations location of each parameter's values, by parameter name
 * @throws {RangeError} listing every missing, unknown or misshapen tensor
 */
export async function loadVariables(
  specs: readonly ParameterSpec[],
  locations: ReadonlyMap<string, TensorLocation>,
  { what, path, definedBy }: LoadOptions,
): Promise<Variables> {
  const faults = listFaults(specs, locations);
  if (faults.length > 0) {
    throw new RangeError(
      `Cannot load ${what}: ${path} does not match ${definedBy}: ${faults.join("; ")}`,
    );
  }
  return await makeVariables(specs, ({ name }) => {
    const location = locations.get(name);
    if (location === undefined) throw new TypeError(`internal: no location for ${name}`);
    return location.file.read(location.name);
  });
}

/** Locations of all tensors of one file, by their own names. */
export function locateTensors(file: SafetensorsFile): ReadonlyMap<string, TensorLocation> {
  return new Map([...file.entries.keys()].map((name) => [name, { file, name }]));
}
