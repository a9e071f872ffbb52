/**
 * How the weights of an exported graph are stored: as float32, as half precision, or as whole numbers
 * of eight bits. Inputs, outputs and what lies between layers are float32 in all of them, so that every
 * runtime can compute every file.
 *
 * - `fp16` halves the file. Runtimes turn the weights back into float32 once, as they load them.
 * - `q8` multiplies whole numbers: each matrix has one scale for each output column, each table one for
 *   each row, and activations get theirs as they come (dynamic quantization, as ONNX Runtime 1.30's
 *   `quantize_dynamic` writes it). Weights are unsigned, around 128: products of unsigned by signed bytes
 *   overflow on processors without VNNI.
 *
 * Shapes: N vectors, in and out columns, V rows of a table, D columns.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import type { OnnxName, OnnxWriter } from "@/engine/onnx/writer.ts";

/** How weights are stored, by the names of transformers.js. */
export const ONNX_DTYPES = ["fp32", "fp16", "q8"] as const;
export type OnnxDtype = typeof ONNX_DTYPES[number];

/** Values, row-major, and their shape. */
export type Matrix = {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
};

/** Whole numbers around 128 and the scale of each group: value ≈ (whole − 128) · scale. */
type Quantized = { readonly whole: Uint8Array; readonly scales: Float32Array };

/** The whole number that stands for zero. */
const ZERO = 128;

/** The same numbers, columns as rows: [rows, columns] → [columns, rows]. */
export function transposeMatrix({ values, rows, columns }: Matrix): Matrix {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return { values: turned, rows: columns, columns: rows };
}

/** Rounds each row to whole numbers from 1 to 255 around 128, with a scale of its own. */
export function quantizeRows({ values, rows, columns }: Matrix): Quantized {
  const whole = new Uint8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * columns, (row + 1) * columns);
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = largest === 0 ? 1 : largest / 127;
    scales[row] = scale;
    own.forEach((value, i) => whole[row * columns + i] = ZERO + Math.round(value / scale));
  }
  return { whole, scales };
}

/** Rounds to half precision, to be written as its bits. */
export function roundToHalf(values: Float32Array): Uint16Array {
  const half = new Float16Array(values);
  if (half.every(Number.isFinite)) return new Uint16Array(half.buffer);
  throw new RangeError(
    "Cannot export as fp16 as every weight must lie within ±65504: choose fp32 or q8",
  );
}

/** A constant of float32. */
function addFloats(writer: OnnxWriter, values: Float32Array, shape: readonly number[]): OnnxName {
  return writer.data(values, "float32", shape);
}

/** Adds x · weightᵀ for a weight [out, in]: [N…, in] → [N…, out]. */
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
      const { whole, scales } = quantizeRows(weight); // a scale for each output column
      const bytes = transposeBytes(whole, weight);
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

/** Adds the rows of a table [V, D] that `ids` name: [N…] → [N…, D]. */
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
      const { whole, scales } = quantizeRows(table);
      const rows = writer.emit("Cast", [gather(writer.data(whole, "uint8", shape))], { to: 1 });
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
