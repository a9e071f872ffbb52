/**
 * Products, look-ups and what gradients of look-ups need.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { DropoutMaskAttributes } from "@/engine/dropout_mask.ts";
import type { DType } from "@/engine/ir.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import { rowMajorStrides, sizeOf, stridedView } from "@/engine/views.ts";

export function registerProductKernels(): void {
  registerKernel<{ transposeA: boolean; transposeB: boolean }>(
    "BatchMatMul",
    ({ tape, input, attributes: { transposeA, transposeB } }) =>
      tape.matmul(input("a"), input("b"), transposeA ?? false, transposeB ?? false),
  );
  registerKernel<{ axis: number; batchDims: number }>("GatherV2", ({ tape, input, attributes }) => {
    const table = input("x"), indices = input("indices");
    const axis = tf.util.parseAxisParam(attributes.axis, [...table.shape])[0] ?? 0;
    if ((attributes.batchDims ?? 0) !== 0) {
      throw new RangeError(
        `Cannot gather as batchDims must be 0: current value is ${attributes.batchDims}`,
      );
    }
    // The axis goes first, rows are looked up, and the axes of the indices go where it was.
    const own = rowMajorStrides(table.shape);
    const order = [axis, ...table.shape.keys()].filter((a, i) => i === 0 || a !== axis);
    const sizes = order.map((a) => table.shape[a] as number);
    const rows = tape.view(table, sizes, stridedView(sizes, order.map((a) => own[a] as number)));
    const found = tape.make(
      { kind: "gather" },
      [rows, tape.cast(indices, "int32")],
      [...indices.shape, ...sizes.slice(1)],
      table.dtype,
    );
    if (axis === 0) return found;
    const rank = indices.shape.length;
    const from = rowMajorStrides(found.shape);
    const back = [
      ...Array.from({ length: axis }, (_, i) => rank + i),
      ...Array.from({ length: rank }, (_, i) => i),
      ...Array.from({ length: table.shape.length - 1 - axis }, (_, i) => rank + axis + i),
    ];
    const shape = back.map((a) => found.shape[a] as number);
    return tape.view(found, shape, stridedView(shape, back.map((a) => from[a] as number)));
  });
  registerKernel<{ numSegments: number }>(
    "UnsortedSegmentSum",
    ({ tape, input, attributes: { numSegments } }) => {
      const rows = input("x");
      const count = sizeOf(input("segmentIds").shape);
      const indices = tape.reshape(tape.cast(input("segmentIds"), "int32"), [count]);
      const shape = [numSegments, ...rows.shape.slice(1)];
      return tape.make({ kind: "scatter-add" }, [rows, indices], shape, rows.dtype);
    },
  );
  registerKernel<{ depth: number; onValue?: number; offValue?: number; dtype?: DType }>(
    "OneHot",
    ({ tape, input, attributes: { depth, onValue = 1, offValue = 0, dtype = "float32" } }) => {
      const indices = input("indices");
      const shape = [...indices.shape, depth];
      const wanted = tape.broadcast(tape.reshape(indices, [...indices.shape, 1]), shape);
      const columns = tape.data(Int32Array.from({ length: depth }, (_, i) => i), [depth], "int32");
      const hit = tape.binary("eq", wanted, tape.broadcast(columns, shape));
      if (onValue === 1 && offValue === 0) return tape.cast(hit, dtype);
      return tape.where(
        hit,
        tape.constant(onValue, shape, dtype),
        tape.constant(offValue, shape, dtype),
      );
    },
  );
  registerKernel<DropoutMaskAttributes>(
    "DropoutMask",
    ({ tape, input, attributes: { shape, rate, site } }) =>
      tape.make({ kind: "dropout-mask", rate, site }, [input("seed")], shape, "float32"),
  );
}
