/**
 * Reads and writes safetensors files one tensor at a time, so that a file is never entirely in memory in addition to
 * its tensors. Reads float32, and converts float16, bfloat16 and float64 to float32. Writes float32.
 * @module
 */
import { CONTENT_START_BYTES, replaceFile, requireContent, writeAll } from "@/system/files.ts";
import {
  formatHeader,
  LENGTH_BYTES,
  parseHeader,
  parseHeaderLength,
  type SafetensorsHeader,
} from "@/model/safetensors_header.ts";

/** An open file. Declare it with `using`, which closes it. */
export type SafetensorsFile = SafetensorsHeader & Disposable & {
  readonly path: string;
  /** Reads the values of a tensor as float32. */
  read(name: string): Promise<Float32Array<ArrayBuffer>>;
};

/** Fills `bytes` from the file's current position. */
async function readFully(file: Deno.FsFile, bytes: Uint8Array, path: string): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) {
      throw new RangeError(
        `Cannot read tensors: ${path} is truncated: ${bytes.length - done} bytes are missing`,
      );
    }
    done += count;
  }
}

/** Converts the bits of a float16 number to its value. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24; // subnormal
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Data types that can be read. */
const FLOATS = ["F32", "F16", "BF16", "F64"] as const;

/** Converts to float32. If the values already are float32, the result is a view of `bytes`, not a copy. */
function toFloat32(bytes: Uint8Array<ArrayBuffer>, dtype: typeof FLOATS[number]) {
  if (dtype === "F32") return new Float32Array(bytes.buffer);
  if (dtype === "F64") return Float32Array.from(new Float64Array(bytes.buffer));
  const halves = new Uint16Array(bytes.buffer);
  if (dtype === "F16") return Float32Array.from(halves, halfToNumber);
  const words = new Uint32Array(halves.length);
  for (const [i, half] of halves.entries()) words[i] = half << 16;
  return new Float32Array(words.buffer);
}

/** First bytes of other file formats, and a description. */
const SIGNATURES = [
  { kind: "a pickled PyTorch object in a ZIP archive", bytes: [0x50, 0x4b, 3, 4] },
  { kind: "a pickled object", bytes: [0x80, 2] },
  { kind: "an HDF5 file", bytes: [0x89, 0x48, 0x44, 0x46] },
  { kind: "gzip data", bytes: [0x1f, 0x8b, 8] },
  { kind: "a GGUF file", bytes: [0x47, 0x47, 0x55, 0x46] },
] as const;

/** Throws if a file begins like another format of weights instead of safetensors. */
function requireSafetensors(start: Uint8Array, path: string): void {
  if (start[LENGTH_BYTES] === 0x7b) return; // "{", the first byte of the JSON
  const found = SIGNATURES.find(({ bytes }) => bytes.every((byte, i) => start[i] === byte));
  if (found === undefined) return;
  throw new RangeError(
    `Cannot read tensors: ${path} is not a safetensors file but ${found.kind}. Save the model again with ` +
      "save_pretrained(…, safe_serialization=True)",
  );
}

/**
 * Opens `path` and validates its header. No tensor is read yet.
 *
 * @throws {RangeError | SyntaxError} with the file and, if one is invalid, the tensor
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read tensors: there is no file ${path}`);
  }
  try {
    const { size: fileBytes } = await file.stat();
    const start = new Uint8Array(Math.min(CONTENT_START_BYTES, fileBytes));
    await readFully(file, start, path);
    requireContent(start, path, "tensors");
    requireSafetensors(start, path);
    await file.seek(Math.min(LENGTH_BYTES, fileBytes), Deno.SeekMode.Start);
    const json = new Uint8Array(parseHeaderLength(start, fileBytes, path));
    await readFully(file, json, path);
    const header = parseHeader(json, { path, fileBytes });
    const close = () => file.close();
    return {
      ...header,
      path,
      read: (name) => readTensor(file, header, { path, name }),
      [Symbol.dispose]: close,
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Reads one tensor of an open file. */
async function readTensor(
  file: Deno.FsFile,
  { entries }: SafetensorsHeader,
  { path, name }: { readonly path: string; readonly name: string },
): Promise<Float32Array<ArrayBuffer>> {
  const entry = entries.get(name);
  if (entry === undefined) {
    throw new RangeError(`Cannot read tensor "${name}": ${path} does not contain it`);
  }
  const { begin, end } = entry;
  const dtype = FLOATS.find((float) => float === entry.dtype);
  if (dtype === undefined) {
    throw new RangeError(
      `Cannot read tensor "${name}" of ${path}: its dtype must be one of ${
        FLOATS.join(", ")
      }, but is ${entry.dtype}`,
    );
  }
  const bytes = new Uint8Array(end - begin);
  await file.seek(begin, Deno.SeekMode.Start);
  await readFully(file, bytes, path);
  return toFloat32(bytes, dtype);
}

/** A tensor to write. `read` is called when it is written, and returns its values. */
export type TensorToWrite = {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Float32Array | Promise<Float32Array>;
};

/** Writes float32 tensors to `path` atomically. Only one tensor is in memory at a time. */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  { metadata = { format: "pt" } }: { readonly metadata?: { readonly [key: string]: string } } = {},
): Promise<void> {
  const names = new Set(tensors.map(({ name }) => name));
  if (names.size !== tensors.length || names.has("__metadata__")) {
    throw new TypeError(`internal: tensor names for ${path} must differ`);
  }
  await replaceFile(path, async (file) => {
    await writeAll(file, formatHeader(tensors, metadata));
    for (const { name, shape, read } of tensors) {
      const values = await read();
      const size = shape.reduce((product, size) => product * size, 1);
      if (values.length !== size) {
        throw new TypeError(`internal: tensor ${name} has ${values.length} values, not ${size}`);
      }
      await writeAll(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  });
}
