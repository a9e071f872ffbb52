/**
 * Kernels of TensorFlow.js that arrange elements. Most are views and move nothing.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { DType } from "@/engine/ir.ts";
import { registerKernel, registerSharingKernel } from "@/engine/kernels/register.ts";
import { rowMajorStrides, sizeOf, stridedView } from "@/engine/views.ts";

export function registerArrangementKernels(): void {
  registerSharingKernel("Identity", "x", (shape) => shape);
  registerSharingKernel<{ shape: number[] }>(
    "Reshape",
    "x",
    (own, { shape }) => {
      const size = sizeOf(own);
      const whole = tf.util.inferFromImplicitShape(shape, size);
      tf.util.assert(
        size === sizeOf(whole),
        () =>
          `The new shape (${whole}) has ${sizeOf(whole)} elements and the old shape (${own}) has ` +
          `${size} elements. The new shape and old shape must have the same number of elements.`,
      );
      return whole;
    },
  );
  registerSharingKernel<{ dim: number }>("ExpandDims", "input", (shape, { dim }) => {
    const rank = shape.length;
    tf.util.assert(
      -(rank + 1) <= dim,
      () => `Axis must be in the interval [${-(rank + 1)}, ${rank}]`,
    );
    return shape.toSpliced(dim < 0 ? dim + rank + 1 : dim, 0, 1);
  });
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
  registerKernel<{ begin: number[]; size: number[] }>("Slice", ({ tape, input, attributes }) => {
    const x = input("x");
    const { begin, size } = attributes;
    const [start = [], shape = []] = tf.slice_util.parseSliceParams(
      { shape: [...x.shape] } as tf.Tensor,
      begin,
      size,
    );
    const own = rowMajorStrides(x.shape);
    const offset = start.reduce((sum, at, axis) => sum + at * (own[axis] as number), 0);
    return tape.view(x, shape, stridedView(shape, own, offset));
  });
  registerKernel<{ paddings: [number, number][]; constantValue: number }>(
    "PadV2",
    ({ tape, input, attributes: { paddings, constantValue } }) => {
      const x = input("x");
      const shape = x.shape.map((size, axis) => {
        const [before, after] = paddings[axis] as [number, number];
        return before + size + after;
      });
      return tape.make({ kind: "pad", paddings, value: constantValue }, [x], shape, x.dtype);
    },
  );
  registerKernel<{ axis: number }>("Concat", ({ tape, inputs, attributes }) => {
    const first = inputs[0];
    if (first === undefined) throw new RangeError("Cannot concatenate as there must be a tensor");
    const axis = tf.util.parseAxisParam(attributes.axis, [...first.shape])[0] ?? 0;
    const parts = inputs.filter(({ shape }) => sizeOf(shape) > 0);
    if (parts.length === 1) return parts[0] ?? first;
    const total = parts.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
    const shape = first.shape.with(axis, total);
    return tape.make({ kind: "concat", axis }, parts, shape, first.dtype);
  });
  registerKernel<{ shape: number[]; value: number; dtype?: DType }>(
    "Fill",
    ({ tape, attributes: { shape, value, dtype } }) =>
      tape.constant(value, shape, dtype ?? "float32"),
  );
  registerKernel("ZerosLike", ({ tape, input }) => {
    const { shape, dtype } = input("x");
    return tape.constant(0, shape, dtype);
  });
  registerKernel("OnesLike", ({ tape, input }) => {
    const { shape, dtype } = input("x");
    return tape.constant(1, shape, dtype);
  });
}
