/**
 * Writes vectors to files for other tools: NumPy arrays and Parquet tables. Shapes: N rows, E embedding.
 * @module
 */

import { extname } from "node:path";
import pl from "nodejs-polars";
import { assertNever } from "@/assert_never.ts";
import { replaceFile, writeAll, writeFileAtomic } from "@/system/files.ts";
import { didYouMean } from "@/suggest.ts";

/** File formats by extension, with a description of their content. */
export const VECTOR_FORMATS = {
  ".npy": "(NumPy, float32, a row a text)",
  ".parquet": "(columns text and embedding)",
} as const;
/** Extension of a vector file. */
type VectorFormat = keyof typeof VECTOR_FORMATS;

/** Rows of a vector file. */
type VectorRows = {
  /** [N] */
  readonly texts: readonly string[];
  /** E */
  readonly width: number;
  /** [N, E] in chunks of rows, in the order of `texts`. */
  readonly chunks: AsyncIterable<readonly Float32Array[]>;
};

/** The format of a file name; throws for other extensions. */
export function findVectorFormat(path: string): VectorFormat {
  const given = extname(path).toLowerCase();
  const known = Object.keys(VECTOR_FORMATS) as VectorFormat[];
  const found = known.find((format) => format === given);
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot write vectors to ${path}: its name must end in ${known.join(" or ")}${
      didYouMean(given, known)
    }`,
  );
}

/** Writes vectors atomically, in the format of the file's extension. */
export async function writeVectors(path: string, rows: VectorRows): Promise<void> {
  const format = findVectorFormat(path);
  switch (format) {
    case ".npy":
      return await writeNumpy(path, rows);
    case ".parquet":
      return await writeParquet(path, rows);
    default:
      return assertNever(format, "format of vectors");
  }
}

/** Version 1.0 of https://numpy.org/doc/2.3/reference/generated/numpy.lib.format.html */
async function writeNumpy(path: string, { texts, width, chunks }: VectorRows): Promise<void> {
  await replaceFile(path, async (file) => {
    await writeAll(file, formatNumpyHeader([texts.length, width]));
    let written = 0;
    for await (const vectors of chunks) {
      const values = new DataView(new ArrayBuffer(4 * width * vectors.length));
      vectors.forEach((vector, row) =>
        vector.forEach((x, i) => values.setFloat32(4 * (row * width + i), x, true))
      );
      await writeAll(file, new Uint8Array(values.buffer));
      written += vectors.length;
    }
    checkCount(written, texts);
  });
}

/** Header of an array of little-endian float32 in row-major order; its length is a multiple of 64 bytes. */
function formatNumpyHeader(shape: readonly [number, number]): Uint8Array {
  const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const before = 10; // signature, version and the length of the rest
  const length = Math.ceil((before + description.length + 1) / 64) * 64 - before;
  const head = new Uint8Array(before + length);
  head.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, length & 255, length >> 8]);
  head.set(new TextEncoder().encode(description.padEnd(length - 1) + "\n"), before);
  return head;
}

async function writeParquet(path: string, { texts, width, chunks }: VectorRows): Promise<void> {
  const vectors = (await Array.fromAsync(chunks)).flat();
  checkCount(vectors.length, texts);
  const none = vectors.length === 0; // polars cannot infer a list column from an empty array
  const lists = none ? [Array<number>(width).fill(0)] : vectors.map((vector) => [...vector]);
  const frame = pl.DataFrame({
    text: pl.Series("text", none ? [""] : [...texts], pl.Utf8),
    embedding: pl.Series("embedding", lists, pl.List(pl.Float32)),
  });
  await writeFileAtomic(path, frame.head(vectors.length).writeParquet({ compression: "zstd" }));
}

function checkCount(written: number, texts: readonly string[]): void {
  if (written === texts.length) return;
  throw new Error(`internal: ${written} vectors for ${texts.length} texts`);
}
