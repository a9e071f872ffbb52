/**
 * Kernels of TensorFlow.js that slice, split, join and stack tensors.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Node } from "@/engine/ir.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import type { Tape } from "@/engine/tape.ts";
import { rowMajorStrides, sizeOf, stridedView } from "@/engine/views.ts";

/** The slice of `x` that starts at `begin` and has the given shape, with strides `steps`. */
export function slice(
  tape: Tape,
  x: Node,
  begin: readonly number[],
  shape: readonly number[],
  steps: readonly number[] = shape.map(() => 1),
): Node {
  const own = rowMajorStrides(x.shape);
  const offset = begin.reduce((sum, at, axis) => sum + at * (own[axis] as number), 0);
  const strides = own.map((stride, axis) => stride * (steps[axis] as number));
  if (sizeOf(shape) > 0) {
    const bounds = x.shape.map((size, axis) => ({
      ...{ size, offset: begin[axis] as number },
      steps: [[shape[axis] as number, steps[axis] as number] as const],
    }));
    tape.bounds.push(...bounds);
  }
  return tape.view(x, shape, stridedView(shape, strides, sizeOf(shape) === 0 ? 0 : offset));
}

/** Concatenates tensors along an axis, ignoring empty ones. */
function concatenate(tape: Tape, parts: readonly Node[], axis: number): Node {
  const [first] = parts;
  if (first === undefined) throw new RangeError("Cannot concatenate an empty list of tensors");
  const shape = tf.backend_util.computeOutShape(parts.map((x) => [...x.shape]), axis);
  if (sizeOf(shape) === 0) return tape.constant(0, shape, first.dtype);
  const kept = parts.filter((x) => sizeOf(x.shape) > 0);
  const [only] = kept;
  if (kept.length === 1 && only !== undefined) return only;
  return tape.make({ kind: "concat", axis }, kept, shape, first.dtype);
}

/** The elements of `x` at `indices` along `axis`. The indices are known at recording time. */
function pick(tape: Tape, x: Node, axis: number, indices: Int32Array): Node {
  const outer = sizeOf(x.shape.slice(0, axis)), inner = sizeOf(x.shape.slice(axis + 1));
  const size = x.shape[axis] as number;
  const rows = tape.view( // [size, outer, inner]
    x,
    [size, outer, inner],
    stridedView([size, outer, inner], [inner, size * inner, 1]),
  );
  const count = indices.length;
  const found = tape.make(
    { kind: "gather" },
    [rows, tape.data(indices, [count], "int32")],
    [count, outer, inner],
    x.dtype,
  );
  return tape.view(
    found,
    x.shape.with(axis, count),
    stridedView([outer, count, inner], [inner, outer * inner, 1]),
  );
}

/** Registers the kernels that slice and join tensors in TensorFlow.js. */
export function registerSliceKernels(): void {
  registerKernel<{ begin: number[]; size: number[] }>("Slice", ({ tape, input, attributes }) => {
    const x = input("x");
    const info = { shape: [...x.shape] } as tf.Tensor;
    const [begin = [], size = []] = tf.slice_util.parseSliceParams(
      info,
      attributes.begin,
      attributes.size,
    );
    tf.slice_util.assertParamsValid(info, begin, size);
    return slice(tape, x, begin, size);
  });
  registerStridedSlice();
  registerKernel<{ axis: number }>("Concat", ({ tape, inputs, attributes }) => {
    const shapes = inputs.map(({ shape }) => [...shape]);
    const axis = tf.util.parseAxisParam(attributes.axis, shapes[0] ?? [])[0] ?? 0;
    tf.backend_util.assertParamsConsistent(shapes, axis);
    return concatenate(tape, inputs, axis);
  });
  registerKernel<{ axis: number }>("Pack", ({ tape, inputs, attributes }) => {
    const [first] = inputs;
    if (first === undefined) throw new RangeError("Cannot stack an empty list of tensors");
    for (const { shape, dtype } of inputs) {
      tf.util.assertShapesMatch(
        [...first.shape],
        [...shape],
        "All tensors passed to stack must have matching shapes",
      );
      tf.util.assert(
        dtype === first.dtype,
        () => "All tensors passed to stack must have matching dtypes",
      );
    }
    const rank = first.shape.length + 1;
    const axis = attributes.axis < 0 ? attributes.axis + rank : attributes.axis;
    const shape = first.shape.toSpliced(axis, 0, 1);
    return concatenate(tape, inputs.map((x) => tape.reshape(x, shape)), axis);
  });
  registerKernel<{ axis: number }>("Unpack", ({ tape, input, attributes }) => {
    const x = input("value");
    const axis = attributes.axis < 0 ? attributes.axis + x.shape.length : attributes.axis;
    const begin = x.shape.map(() => 0);
    return Array.from(
      { length: x.shape[axis] as number },
      (_, i) =>
        tape.reshape(
          slice(tape, x, begin.with(axis, i), x.shape.with(axis, 1)),
          x.shape.toSpliced(axis, 1),
        ),
    );
  });
  registerKernel<{ numOrSizeSplits: number | number[]; axis: number }>(
    "SplitV",
    ({ tape, input, attributes: { numOrSizeSplits, axis: given } }) => {
      const x = input("x");
      const axis = tf.util.parseAxisParam(given, [...x.shape])[0] ?? 0;
      const info = { shape: [...x.shape] } as tf.Tensor;
      const sizes = tf.backend_util.prepareSplitSize(info, numOrSizeSplits, axis);
      const begin = x.shape.map(() => 0);
      let at = 0;
      return sizes.map((size) => {
        const part = slice(tape, x, begin.with(axis, at), x.shape.with(axis, size));
        at += size;
        return part;
      });
    },
  );
  registerKernel<{ dims: number[] }>("Reverse", ({ tape, input, attributes: { dims } }) => {
    const x = input("x");
    return tf.util.parseAxisParam(dims, [...x.shape]).reduce((turned, axis) => {
      const size = x.shape[axis] as number;
      if (size < 2 || sizeOf(x.shape) === 0) return turned;
      return pick(tape, turned, axis, Int32Array.from({ length: size }, (_, i) => size - 1 - i));
    }, x);
  });
}

type StridedSliceAttributes = {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
};

function registerStridedSlice(): void {
  registerKernel<StridedSliceAttributes>("StridedSlice", ({ tape, input, attributes: a }) => {
    const x = input("x");
    const { finalShape, begin, end, strides } = tf.slice_util.sliceInfo(
      [...x.shape],
      a.begin,
      a.end,
      a.strides,
      a.beginMask,
      a.endMask,
      a.ellipsisMask,
      a.newAxisMask,
      a.shrinkAxisMask,
    );
    if (strides.some((stride) => stride < 0) || begin.length !== x.shape.length) return null;
    if (sizeOf(finalShape) === 0) return tape.constant(0, finalShape, x.dtype);
    const shape = tf.slice_util.computeOutShape(begin, end, strides);
    return tape.reshape(slice(tape, x, begin, shape, strides), finalShape);
  });
}
