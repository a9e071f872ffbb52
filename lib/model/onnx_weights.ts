/**
 * Stores the weights of an exported graph as float32, float16 or 8-bit integers. Inputs, outputs and activations
 * between layers are always float32, so that every runtime can run every file.
 *
 * - `fp16` halves the file. Runtimes convert the weights back to float32 once, when they load the file.
 * - `q8` multiplies integers. A matrix has one scale per output column, a table one per row. Activations are
 *   quantized at run time (dynamic quantization, as `quantize_dynamic` of ONNX Runtime 1.30 writes it). Weights are
 *   unsigned with zero point 128, since products of unsigned and signed bytes overflow on processors without VNNI.
 *
 * Shapes: N vectors, in and out columns, V rows of a table, D columns.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import type { OnnxName, OnnxWriter } from "@/engine/onnx/writer.ts";

/** Data types of the weights, by the names of transformers.js. */
export const ONNX_DTYPES = ["fp32", "fp16", "q8"] as const;
/** Storage of the weights in an ONNX file. */
export type OnnxDtype = typeof ONNX_DTYPES[number];

/** A matrix, row-major. */
export type Matrix = {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
};

/** Quantized values and one scale per row: value ≈ (integer − 128) · scale. */
type Quantized = { readonly integers: Uint8Array; readonly scales: Float32Array };

/** The zero point. */
const ZERO = 128;

/** [rows, columns] → [columns, rows] */
function transposeMatrix({ values, rows, columns }: Matrix): Matrix {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return { values: turned, rows: columns, columns: rows };
}

/** Quantizes each row to integers from 1 to 255 around 128, with its own scale. */
export function quantizeRows({ values, rows, columns }: Matrix): Quantized {
  const integers = new Uint8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * columns, (row + 1) * columns);
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = largest === 0 ? 1 : largest / 127;
    scales[row] = scale;
    own.forEach((value, i) => integers[row * columns + i] = ZERO + Math.round(value / scale));
  }
  return { integers, scales };
}

/** Rounds to float16 and returns the bits. */
export function roundToHalf(values: Float32Array): Uint16Array {
  const half = new Float16Array(values);
  if (half.every(Number.isFinite)) return new Uint16Array(half.buffer);
  throw new RangeError(
    "Cannot export as fp16: every weight must be within ±65504. Choose fp32 or q8",
  );
}

/** Adds a float32 constant. */
function addFloats(writer: OnnxWriter, values: Float32Array, shape: readonly number[]): OnnxName {
  return writer.data(values, "float32", shape);
}

/** Adds the matrix product x · weightᵀ for a weight [out, in]: [N…, in] → [N…, out]. */
export function addMatmul(
  writer: OnnxWriter,
  x: OnnxName,
  { weight, dtype }: { readonly weight: Matrix; readonly dtype: OnnxDtype },
): OnnxName {
  const turned = transposeMatrix(weight); // [in, out]
  const shape = [turned.rows, turned.columns];
  switch (dtype) {
    case "fp32":
      return writer.emit("MatMul", [x, addFloats(writer, turned.values, shape)]);
    case "fp16": {
      const half = writer.data(roundToHalf(turned.values), "float16", shape);
      return writer.emit("MatMul", [x, writer.emit("Cast", [half], { to: 1 })]);
    }
    case "q8": {
      const { integers, scales } = quantizeRows(weight); // one scale per output column
      const bytes = transposeBytes(integers, weight);
      const factors = writer.emitMany("DynamicQuantizeLinear", [x], 3, {});
      const [activation = "", scale = "", zero = ""] = factors;
      const product = writer.emit("MatMulInteger", [
        activation,
        writer.data(bytes, "uint8", shape),
        zero,
        writer.scalar(ZERO, "uint8"),
      ]);
      const columns = addFloats(writer, scales, [scales.length]);
      const factor = writer.emit("Mul", [scale, columns]); // [out]
      return writer.emit("Mul", [writer.emit("Cast", [product], { to: 1 }), factor]);
    }
    default:
      return assertNever(dtype, "weight type");
  }
}

/** Adds a lookup of the rows `ids` in a table [V, D]: [N…] → [N…, D]. */
export function addLookup(
  writer: OnnxWriter,
  ids: OnnxName,
  { table, dtype }: { readonly table: Matrix; readonly dtype: OnnxDtype },
): OnnxName {
  const shape = [table.rows, table.columns];
  const gather = (data: OnnxName) => writer.emit("Gather", [data, ids], { axis: 0 });
  switch (dtype) {
    case "fp32":
      return gather(addFloats(writer, table.values, shape));
    case "fp16": {
      const half = gather(writer.data(roundToHalf(table.values), "float16", shape));
      return writer.emit("Cast", [half], { to: 1 });
    }
    case "q8": {
      const { integers, scales } = quantizeRows(table);
      const rows = writer.emit("Cast", [gather(writer.data(integers, "uint8", shape))], { to: 1 });
      const scale = gather(addFloats(writer, scales, [table.rows, 1])); // [N…, 1]
      return writer.emit("Mul", [
        writer.emit("Sub", [rows, writer.scalar(ZERO, "float32")]),
        scale,
      ]);
    }
    default:
      return assertNever(dtype, "weight type");
  }
}

/** [rows, columns] → [columns, rows] */
function transposeBytes(
  bytes: Uint8Array,
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
): Uint8Array {
  const turned = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = bytes[row * columns + column] ?? 0;
    }
  }
  return turned;
}
