/**
 * Kernels of TensorFlow.js that rearrange elements. Most record a view and move no data.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { DType } from "@/engine/ir.ts";
import { registerKernel, registerSharingKernel } from "@/engine/kernels/register.ts";
import { rowMajorStrides, sizeOf, stridedView } from "@/engine/views.ts";

/** Registers the kernels that rearrange elements in TensorFlow.js. */
export function registerArrangementKernels(): void {
  registerShapes();
  registerKernel<{ perm: number[] }>("Transpose", ({ tape, input, attributes: { perm } }) => {
    const x = input("x");
    const own = rowMajorStrides(x.shape);
    const shape = perm.map((axis) => x.shape[axis] as number);
    return tape.view(x, shape, stridedView(shape, perm.map((axis) => own[axis] as number)));
  });
  registerKernel<{ reps: number[] }>("Tile", ({ tape, input, attributes: { reps } }) => {
    const x = input("x");
    const own = rowMajorStrides(x.shape);
    const sizes = x.shape.flatMap((size, axis) => [reps[axis] as number, size]);
    const strides = own.flatMap((stride) => [0, stride]);
    const shape = x.shape.map((size, axis) => size * (reps[axis] as number));
    return tape.view(x, shape, stridedView(sizes, strides));
  });
  registerKernel<{ shape: number[] }>(
    "BroadcastTo",
    ({ tape, input, attributes: { shape } }) => tape.broadcast(input("x"), shape),
  );
  registerKernel<{ paddings: [number, number][]; constantValue: number }>(
    "PadV2",
    ({ tape, input, attributes: { paddings, constantValue } }) => {
      const x = input("x");
      const shape = x.shape.map((size, axis) => {
        const [before, after] = paddings[axis] as [number, number];
        return before + size + after;
      });
      if (sizeOf(x.shape) === 0) return tape.constant(constantValue, shape, x.dtype);
      return tape.make({ kind: "pad", paddings, value: constantValue }, [x], shape, x.dtype);
    },
  );
  registerConstants();
}

/** Registers kernels that only change the shape. */
function registerShapes(): void {
  registerSharingKernel("Identity", "x", (shape) => shape);
  registerSharingKernel<{ shape: number[] }>("Reshape", "x", (own, { shape }) => {
    const size = sizeOf(own);
    const inferred = tf.util.inferFromImplicitShape(shape, size);
    tf.util.assert(
      size === sizeOf(inferred),
      () =>
        `The new shape (${inferred}) has ${
          sizeOf(inferred)
        } elements and the old shape (${own}) has ` +
        `${size} elements. The new shape and old shape must have the same number of elements.`,
    );
    return inferred;
  });
  registerSharingKernel<{ dim: number }>("ExpandDims", "input", (shape, { dim }) => {
    const rank = shape.length;
    tf.util.assert(
      -(rank + 1) <= dim,
      () => `Axis must be in the interval [${-(rank + 1)}, ${rank}]`,
    );
    return shape.toSpliced(dim < 0 ? dim + rank + 1 : dim, 0, 1);
  });
}

/** Registers kernels whose elements are known at recording time. */
function registerConstants(): void {
  registerKernel<{ shape: number[]; value: number | string; dtype?: DType | "string" }>(
    "Fill",
    ({ tape, attributes: { shape, value, dtype } }) => {
      const type = dtype ?? tf.util.inferDtype(value);
      if (typeof value === "string" || type === "string") return null;
      return tape.constant(value, shape, type as DType);
    },
  );
  registerKernel<{ start: number; stop: number; step: number; dtype: DType }>(
    "Range",
    ({ tape, attributes: { start, stop, step, dtype } }) => {
      const away = (start < stop && step < 0) || (stop < start && step > 1);
      const length = start === stop || away ? 0 : Math.abs(Math.ceil((stop - start) / step));
      const stride = stop < start && step === 1 ? -1 : step;
      const values = Array.from({ length }, (_, i) => start + i * stride);
      const data = dtype === "float32" ? Float32Array.from(values) : Int32Array.from(values);
      return tape.data(data, [length], dtype);
    },
  );
  registerKernel<{ start: number; stop: number; num: number }>(
    "LinSpace",
    ({ tape, attributes: { start, stop, num } }) => {
      const stride = (stop - start) / (num - 1);
      const data = Float32Array.from(
        { length: num },
        (_, i) => i === 0 ? start : start + i * stride,
      );
      return tape.data(data, [num], "float32");
    },
  );
  for (const [kernel, value] of [["ZerosLike", 0], ["OnesLike", 1]] as const) {
    registerKernel(kernel, ({ tape, input }) => {
      const { shape, dtype } = input("x");
      return tape.constant(value, shape, dtype);
    });
  }
}
