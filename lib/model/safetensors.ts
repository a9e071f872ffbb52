/**
 * Reads and writes safetensors files, one tensor at a time, so that the file is never in memory
 * beside its tensors. Reads float32, float16 and bfloat16 by widening, float64 by rounding; writes float32.
 * @module
 */
import { CONTENT_START_BYTES, replaceFile, requireContent, writeAll } from "@/files.ts";
import {
  formatHeader,
  LENGTH_BYTES,
  parseHeader,
  parseHeaderLength,
  type SafetensorsHeader,
} from "@/model/safetensors_header.ts";

/** An open file; `close` it, or declare it with `using`. */
export type SafetensorsFile = SafetensorsHeader & Disposable & {
  readonly path: string;
  /** The values of a tensor as float32. */
  read(name: string): Promise<Float32Array<ArrayBuffer>>;
};

/** Fills `bytes` from the file's position on. */
async function readFully(file: Deno.FsFile, bytes: Uint8Array, path: string): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) {
      throw new RangeError(
        `Cannot read tensors as ${path} must not end before all its bytes are read: ${
          bytes.length - done
        } are missing`,
      );
    }
    done += count;
  }
}

/** The value of an IEEE half-precision number given by its bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24; // subnormal
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Types whose values are read as float32. */
const FLOATS = ["F32", "F16", "BF16", "F64"] as const;

/** Values as float32. Float32 is a view of `bytes`, not a copy. */
function toFloat32(bytes: Uint8Array<ArrayBuffer>, dtype: typeof FLOATS[number]) {
  if (dtype === "F32") return new Float32Array(bytes.buffer);
  if (dtype === "F64") return Float32Array.from(new Float64Array(bytes.buffer));
  const halves = new Uint16Array(bytes.buffer);
  if (dtype === "F16") return Float32Array.from(halves, halfToNumber);
  const words = new Uint32Array(halves.length);
  for (const [i, half] of halves.entries()) words[i] = half << 16;
  return new Float32Array(words.buffer);
}

/** First bytes of weights in other formats, and what they are. */
const SIGNATURES = [
  { kind: "a pickled PyTorch object in a ZIP archive", bytes: [0x50, 0x4b, 3, 4] },
  { kind: "a pickled object", bytes: [0x80, 2] },
  { kind: "an HDF5 file", bytes: [0x89, 0x48, 0x44, 0x46] },
  { kind: "gzip data", bytes: [0x1f, 0x8b, 8] },
  { kind: "a GGUF file", bytes: [0x47, 0x47, 0x55, 0x46] },
] as const;

/** Refuses weights of another format that only bear the name of a safetensors file. */
function requireSafetensors(start: Uint8Array, path: string): void {
  if (start[LENGTH_BYTES] === 0x7b) return; // the header's {
  const found = SIGNATURES.find(({ bytes }) => bytes.every((byte, i) => start[i] === byte));
  if (found === undefined) return;
  throw new RangeError(
    `Cannot read tensors as ${path} must be a safetensors file: it is ${found.kind}; save the model anew with ` +
      "save_pretrained(…, safe_serialization=True)",
  );
}

/**
 * Opens `path` and checks its header; no tensor is read yet.
 *
 * @throws {RangeError | SyntaxError} naming the file, and the tensor where one is at fault
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read tensors as there is no file ${path}`);
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
    throw new RangeError(`Cannot read tensor "${name}" as ${path} does not have it`);
  }
  const { begin, end } = entry;
  const dtype = FLOATS.find((float) => float === entry.dtype);
  if (dtype === undefined) {
    throw new RangeError(
      `Cannot read tensor "${name}" of ${path} as its dtype must be one of ${
        FLOATS.join(", ")
      }: current value is ${entry.dtype}`,
    );
  }
  const bytes = new Uint8Array(end - begin);
  await file.seek(begin, Deno.SeekMode.Start);
  await readFully(file, bytes, path);
  return toFloat32(bytes, dtype);
}

/** A tensor to be written; `read` gives its values when its turn comes. */
export type TensorToWrite = {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Float32Array | Promise<Float32Array>;
};

/** Writes float32 tensors to `path`, whole or not at all; one tensor is in memory at a time. */
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
