/**
 * The dropout mask of `dropout_mask.ts` in ONNX operators.
 *
 * Rows and columns are hashed in int64 with values below 2³². ONNX Runtime shifts unsigned integers only, so a right
 * shift is a division of a nonnegative integer. Elements are int32 and wrap around.
 * @module
 */
import { type DropoutMaskAttributes, keepThreshold, siteKeys } from "../dropout_mask.ts";
import type { OnnxName, OnnxWriter } from "./writer.ts";
import { sizeOf } from "../views.ts";

const INT32 = 6, INT64 = 7, MASK = 0xffffffff;

/** Emits the mask of `shape` for an int32 scalar `seed`. */
export function emitDropoutMask(
  writer: OnnxWriter,
  seed: OnnxName,
  { shape, rate, site }: DropoutMaskAttributes,
): OnnxName {
  const columns = shape.at(-1) ?? 1;
  const rows = sizeOf(shape) / columns;
  const keys = siteKeys(site);
  const wide = writer.emit("Cast", [seed], { to: INT64 });
  const rho = hashIndices(writer, wide, keys.row, rows, [rows, 1]);
  const gamma = hashIndices(writer, wide, keys.column, columns, [1, columns]);

  const twice = (x: OnnxName) => writer.emit("Add", [x, x]);
  const z = writer.emit("Add", [rho, gamma]); // [rows, columns]
  const odd = writer.emit("Add", [twice(rho), writer.scalar(1, "int32")]);
  const slope = writer.emit("Add", [odd, twice(gamma)]); // 2z + 1
  const hash = writer.emit("Mul", [z, slope]);
  const kept = writer.emit("Less", [hash, writer.scalar(keepThreshold(rate), "int32")]);
  const scale = writer.scalar(1 / (1 - rate), "float32");
  const mask = writer.emit("Where", [kept, scale, writer.scalar(0, "float32")]);
  return writer.reshape(mask, [rows, columns], shape);
}

/** mix32(mix32(seed ⊕ key) + i) for i < count, as int32 of `shape`. */
function hashIndices(
  writer: OnnxWriter,
  seed: OnnxName,
  key: number,
  count: number,
  shape: readonly number[],
): OnnxName {
  const start = mix(writer, writer.emit("BitwiseXor", [seed, writer.scalar(key, "int64")]));
  const indices = BigInt64Array.from({ length: count }, (_, i) => BigInt(i));
  const shifted = writer.emit("Add", [start, writer.data(indices, "int64", shape)]);
  const hash = mix(writer, shifted);
  // Values above 2³¹ − 1 become negative: subtract 2³² if the sign bit is set.
  const sign = writer.emit("Div", [hash, writer.scalar(2 ** 31, "int64")]);
  const wrap = writer.emit("Mul", [sign, writer.scalar(2 ** 32, "int64")]);
  return writer.emit("Cast", [writer.emit("Sub", [hash, wrap])], { to: INT32 });
}

/** The finalizer of MurmurHash3 on the low 32 bits of int64 values; see `mix32`. */
function mix(writer: OnnxWriter, x: OnnxName): OnnxName {
  const low = (v: OnnxName) => writer.emit("BitwiseAnd", [v, writer.scalar(MASK, "int64")]);
  const xorShift = (v: OnnxName, bits: number) =>
    writer.emit("BitwiseXor", [v, writer.emit("Div", [v, writer.scalar(2 ** bits, "int64")])]);
  const times = (v: OnnxName, factor: number) =>
    low(writer.emit("Mul", [v, writer.scalar(factor, "int64")]));
  let h = low(x);
  h = times(xorShift(h, 16), 0x85ebca6b);
  h = times(xorShift(h, 13), 0xc2b2ae35);
  return xorShift(h, 16);
}
