/**
 * The header of a safetensors file: its length in 8 bytes, then JSON with the position of each tensor
 * (https://github.com/huggingface/safetensors, format section of its README at v0.8.0). Everything is validated
 * here, so that a damaged or malicious file cannot cause huge allocations or reads outside of it.
 * @module
 */

/** Bytes per element by dtype. Several elements of F4 and F6 share a byte. */
const ELEMENT_BYTES: { readonly [dtype: string]: number } = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F4: 0.5,
  F6_E2M3: 0.75,
  F6_E3M2: 0.75,
  F8_E4M3: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2: 1,
  F8_E5M2FNUZ: 1,
  F8_E8M0: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
  C64: 8,
};

/** Limit of the format on the size of the JSON. */
const MAX_HEADER_BYTES = 100_000_000;

/** Bytes before the JSON, which contain its length. */
export const LENGTH_BYTES = 8;

/** Type, shape and position of a tensor in its file. */
type TensorEntry = {
  readonly name: string;
  /** Name in the format: `F32`, `BF16`, … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The tensor's bytes in the file are [begin, end). */
  readonly begin: number;
  readonly end: number;
};

/** A parsed header. */
export type SafetensorsHeader = {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Arbitrary strings; `{ format: "pt" }` in files of transformers. */
  readonly metadata: { readonly [key: string]: string };
};

/**
 * Reads the length of the JSON from the first 8 bytes of a file.
 *
 * @throws {RangeError} if a file of `fileBytes` bytes cannot contain this much JSON
 */
export function parseHeaderLength(bytes: Uint8Array, fileBytes: number, path: string): number {
  if (fileBytes < LENGTH_BYTES || bytes.length < LENGTH_BYTES) {
    throw new RangeError(
      `Cannot read tensors: ${path} must have a header of at least ${LENGTH_BYTES} bytes, but the file has ${fileBytes}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = view.getBigUint64(0, true);
  const most = Math.min(MAX_HEADER_BYTES, fileBytes - LENGTH_BYTES);
  if (length < 2n || length > BigInt(most)) {
    throw new RangeError(
      `Cannot read tensors: the header of ${path} must have 2 to ${most} bytes, but has ${length}`,
    );
  }
  return Number(length);
}

/** An object parsed from a file. */
type JsonObject = { readonly [key: string]: unknown };

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Validates one entry. Its bytes must be between `dataStart` and `fileBytes`. */
function parseEntry(
  name: string,
  value: unknown,
  { path, dataStart, fileBytes }: {
    readonly path: string;
    readonly dataStart: number;
    readonly fileBytes: number;
  },
): TensorEntry {
  const fail = (what: string, wanted: string, present: unknown): never => {
    throw new RangeError(
      `Cannot read tensor "${name}" of ${path}: its ${what} must be ${wanted}, but is ${
        JSON.stringify(present) ?? "missing"
      }`,
    );
  };
  if (!isObject(value)) return fail("entry", "an object", value);
  const { dtype, shape, data_offsets: offsets } = value;
  const bytes = typeof dtype === "string" && Object.hasOwn(ELEMENT_BYTES, dtype)
    ? ELEMENT_BYTES[dtype]
    : undefined;
  if (typeof dtype !== "string" || bytes === undefined) {
    return fail("dtype", `one of ${Object.keys(ELEMENT_BYTES).join(", ")}`, dtype);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail("shape", "a list of non-negative integers", shape);
  }
  const [first, last] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  const most = fileBytes - dataStart;
  if (isCount(last) && last > most) {
    throw new RangeError(
      `Cannot read tensor "${name}": ${path} is truncated. It has ${fileBytes} of at least ${
        dataStart + last
      } bytes. Download or copy it again`,
    );
  }
  if (!isCount(first) || !isCount(last) || first > last) {
    return fail("data_offsets", `two ascending integers from 0 to ${most}`, offsets);
  }
  const wanted = shape.reduce((product, size) => product * size, bytes);
  if (wanted !== last - first) {
    return fail("data_offsets", `${wanted} bytes apart, the size of ${dtype} [${shape}]`, offsets);
  }
  return { name, dtype, shape, begin: dataStart + first, end: dataStart + last };
}

/**
 * Validates the JSON of a header.
 *
 * @throws {RangeError | SyntaxError} with file and tensor
 */
export function parseHeader(
  json: Uint8Array,
  { path, fileBytes }: { readonly path: string; readonly fileBytes: number },
): SafetensorsHeader {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    throw new SyntaxError(`Cannot read tensors: the header of ${path} must be JSON in UTF-8`);
  }
  if (!isObject(parsed)) {
    throw new RangeError(`Cannot read tensors: the header of ${path} must be a JSON object`);
  }
  const dataStart = LENGTH_BYTES + json.length;
  const entries = new Map<string, TensorEntry>();
  let metadata: { readonly [key: string]: string } = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (name !== "__metadata__") {
      entries.set(name, parseEntry(name, value, { path, dataStart, fileBytes }));
      continue;
    }
    if (value === null) continue; // safetensors treats null as missing metadata
    if (!isObject(value) || !Object.values(value).every((text) => typeof text === "string")) {
      throw new RangeError(
        `Cannot read tensors: __metadata__ of ${path} must map strings to strings`,
      );
    }
    metadata = value as { readonly [key: string]: string };
  }
  requireNoGaps([...entries.values()], { path, dataStart, fileBytes });
  return { entries, metadata };
}

/** Throws unless tensors are contiguous and fill the file, as the format requires. */
function requireNoGaps(
  entries: readonly TensorEntry[],
  { path, dataStart, fileBytes }: {
    readonly path: string;
    readonly dataStart: number;
    readonly fileBytes: number;
  },
): void {
  let at = dataStart;
  const inOrder = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  for (const { name, begin, end } of inOrder) {
    if (begin !== at) {
      throw new RangeError(
        `Cannot read tensor "${name}" of ${path}: it must begin at byte ${at}, where the previous tensor ends, but begins at byte ${begin}`,
      );
    }
    at = end;
  }
  if (at !== fileBytes) {
    throw new RangeError(
      `Cannot read tensors: ${path} must end at byte ${at}, where its last tensor ends, but has bytes up to ${fileBytes}`,
    );
  }
}

/** Name and shape of a float32 tensor. */
type TensorShape = { readonly name: string; readonly shape: readonly number[] };

/** Length and JSON for contiguous float32 tensors in the given order, padded to a multiple of 8 bytes. */
export function formatHeader(
  tensors: readonly TensorShape[],
  metadata: { readonly [key: string]: string },
): Uint8Array {
  const entries: [string, unknown][] = [["__metadata__", metadata]];
  let at = 0;
  for (const { name, shape } of tensors) {
    const end = at + 4 * shape.reduce((product, size) => product * size, 1);
    entries.push([name, { dtype: "F32", shape, data_offsets: [at, end] }]);
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20); // padded with spaces
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, LENGTH_BYTES);
  return header;
}
