/**
 * Kernels that look up elements by index, and the scatter operations of their gradients.
 * @module
 */
import { RefusalError } from "@/engine/errors.ts";
import * as tf from "@tensorflow/tfjs";
import type { DType, Node } from "@/engine/ir.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import type { Tape } from "@/engine/tape.ts";
import { isContiguous, rowMajorStrides, sizeOf, stridedView } from "@/engine/views.ts";

/** Smallest number of rows of the tables in which indices were looked up. Valid indices are below it. */
const rowsLookedUpIn = new WeakMap<Node, number>();

/** The indices before they were reshaped. */
function withoutReshape(numbers: Node): Node {
  const { operation, inputs: [base] } = numbers;
  if (operation.kind !== "view" || base === undefined) return numbers;
  return isContiguous(operation.view, sizeOf(base.shape)) ? base : numbers;
}

/** `x` with its axes in another order. */
function permute(tape: Tape, x: Node, order: readonly number[]): Node {
  const own = rowMajorStrides(x.shape);
  const shape = order.map((axis) => x.shape[axis] as number);
  return tape.view(x, shape, stridedView(shape, order.map((axis) => own[axis] as number)));
}

/** Rows of `table` [V, …] at `indices` [I…]: [I…, …]. */
function gatherRows(tape: Tape, table: Node, indices: Node): Node {
  const rows = tape.cast(indices, "int32");
  const key = withoutReshape(rows);
  rowsLookedUpIn.set(key, Math.min(rowsLookedUpIn.get(key) ?? Infinity, table.shape[0] ?? 0));
  const shape = [...indices.shape, ...table.shape.slice(1)];
  if (sizeOf(shape) === 0) return tape.constant(0, shape, table.dtype);
  if (table.shape[0] === 0) {
    // An empty table has no row that could be read in place of an invalid one.
    throw new RefusalError(
      `Cannot gather from a table without rows: its shape is [${table.shape}]`,
    );
  }
  return tape.make({ kind: "gather" }, [table, rows], shape, table.dtype);
}

/**
 * Sums of the rows [I, …] with equal `indices` [I]: [count, …]. Unless `inRange`, rows with indices out of range
 * are dropped.
 */
function addRows(tape: Tape, rows: Node, indices: Node, count: number, inRange: boolean): Node {
  const shape = [count, ...rows.shape.slice(1)];
  if (sizeOf(rows.shape) === 0 || count === 0) return tape.constant(0, shape, rows.dtype);
  let [kept, at] = [rows, indices];
  if (!inRange) {
    const zero = tape.constant(0, [], "int32");
    const inside = tape.binary(
      "and",
      tape.binary("ge", indices, zero),
      tape.binary("lt", indices, tape.constant(count, [], "int32")),
    );
    at = tape.where(inside, indices, tape.constant(0, indices.shape, "int32"));
    const each = tape.reshape(inside, [...indices.shape, ...rows.shape.slice(1).map(() => 1)]);
    kept = tape.where(each, rows, tape.constant(0, rows.shape, rows.dtype));
  }
  return tape.make({ kind: "scatter-add" }, [kept, at], shape, rows.dtype);
}

/** Row-major indices [N] of coordinates [N, K] along axes of the given sizes. */
function flattenCoordinates(tape: Tape, coordinates: Node, sizes: readonly number[]): Node {
  const [count = 0] = coordinates.shape;
  const strides = Int32Array.from(rowMajorStrides(sizes));
  const places = tape.data(strides, [strides.length], "int32");
  const integers = tape.cast(coordinates, "int32");
  if (strides.length === 0) return tape.constant(0, [count], "int32");
  return tape.reduce("sum", tape.binary("mul", integers, places), [1], false);
}

/** Throws TensorFlow.js's error for the first coordinate tuple that is out of range. */
function checkCoordinates(known: ArrayLike<number>, sizes: readonly number[], shape: number[]) {
  const depth = sizes.length;
  const strides = rowMajorStrides(sizes);
  for (let i = 0; i + depth <= known.length; i += depth) {
    const tuple = Array.from({ length: depth }, (_, k) => known[i + k] as number);
    const row = tuple.reduce((sum, at, k) => sum + at * (strides[k] as number), 0);
    if (row < 0 || row >= sizeOf(sizes)) {
      throw new RefusalError(`Invalid indices: ${tuple} does not index into ${shape}`);
    }
  }
}

/** Registers the kernels that gather and scatter by index in TensorFlow.js. */
export function registerLookupKernels(): void {
  registerGather();
  registerKernel("GatherNd", ({ tape, input, known }) => {
    const table = input("params"), indices = input("indices");
    const [shape, count] = tf.backend_util.prepareAndValidate(
      { shape: [...table.shape] } as tf.TensorInfo,
      { shape: [...indices.shape], dtype: indices.dtype } as tf.TensorInfo,
    );
    const depth = indices.shape.at(-1) ?? 0;
    const sizes = table.shape.slice(0, depth), rest = sizeOf(table.shape.slice(depth));
    const values = known("indices");
    if (values !== null) checkCoordinates(values, sizes, [...table.shape]);
    const tuples = tape.reshape(indices, [count, depth]);
    const rows = tape.reshape(table, [sizeOf(sizes), rest]);
    return tape.reshape(gatherRows(tape, rows, flattenCoordinates(tape, tuples, sizes)), shape);
  });
  registerKernel<{ shape: number[] }>("ScatterNd", ({ tape, input, attributes, known }) => {
    const indices = input("indices"), updates = input("updates");
    if (updates.dtype === "bool") return null;
    const { sliceRank, numUpdates, sliceSize, outputSize } = tf.backend_util.calculateShapes(
      { shape: [...updates.shape] } as tf.TensorInfo,
      { shape: [...indices.shape] } as tf.TensorInfo,
      attributes.shape,
    );
    if (outputSize === 0) return tape.constant(0, attributes.shape, updates.dtype);
    const sizes = attributes.shape.slice(0, sliceRank);
    const values = known("indices");
    if (values !== null) checkCoordinates(values, sizes, attributes.shape);
    const tuples = tape.reshape(indices, [numUpdates, sliceRank]);
    const at = flattenCoordinates(tape, tuples, sizes);
    const rows = tape.reshape(updates, [numUpdates, sliceSize]);
    const inRange = values !== null;
    return tape.reshape(addRows(tape, rows, at, sizeOf(sizes), inRange), attributes.shape);
  });
  registerKernel<{ numSegments: number }>(
    "UnsortedSegmentSum",
    ({ tape, input, attributes: { numSegments }, known }) => {
      const rows = input("x");
      if (rows.dtype === "bool") return null;
      const count = sizeOf(input("segmentIds").shape);
      const numbers = tape.cast(input("segmentIds"), "int32");
      const values = known("segmentIds");
      const reach = rowsLookedUpIn.get(withoutReshape(numbers)) ?? Infinity;
      if (reach <= numSegments) tape.takeAtMost(reach, numSegments);
      const inRange = reach <= numSegments ||
        (values !== null && Array.from(values).every((at) => at >= 0 && at < numSegments));
      return addRows(tape, rows, tape.reshape(numbers, [count]), numSegments, inRange);
    },
  );
  registerKernel<{ depth: number; onValue?: number; offValue?: number; dtype?: DType }>(
    "OneHot",
    ({ tape, input, attributes: { depth, onValue = 1, offValue = 0, dtype = "float32" } }) => {
      const indices = tape.cast(input("indices"), "int32");
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
}

function registerGather(): void {
  registerKernel<{ axis: number; batchDims: number }>(
    "GatherV2",
    ({ tape, input, attributes, known }) => {
      const table = input("x"), indices = input("indices");
      const axis = tf.util.parseAxisParam(attributes.axis, [...table.shape])[0] ?? 0;
      const { batchSize, outerSize, dimSize, sliceSize, outputShape } = tf.backend_util.segment_util
        .collectGatherOpShapeInfo(
          { shape: [...table.shape], rank: table.shape.length } as tf.Tensor,
          { shape: [...indices.shape], rank: indices.shape.length } as tf.Tensor,
          axis,
          attributes.batchDims ?? 0,
        );
      for (const at of Array.from(known("indices") ?? [])) {
        tf.util.assert(
          at >= 0 && at < dimSize,
          () => `GatherV2: the index value ${at} is not in [0, ${dimSize - 1}]`,
        );
      }
      if (sizeOf(outputShape) === 0) return tape.constant(0, outputShape, table.dtype);
      if (batchSize === 1) return gatherAlong(tape, table, indices, axis, outputShape);
      // Each batch item has its own rows in one table: [batch · size, outer, slice].
      const split = tape.reshape(table, [batchSize, outerSize, dimSize, sliceSize]);
      const rows = tape.reshape(permute(tape, split, [0, 2, 1, 3]), [
        batchSize * dimSize,
        outerSize,
        sliceSize,
      ]);
      const starts = Int32Array.from({ length: batchSize }, (_, i) => i * dimSize);
      const each = tape.reshape(tape.cast(indices, "int32"), [
        batchSize,
        sizeOf(indices.shape) / batchSize,
      ]);
      const at = tape.binary("add", each, tape.data(starts, [batchSize, 1], "int32"));
      const found = gatherRows(tape, rows, at); // [batch, I, outer, slice]
      return tape.reshape(permute(tape, found, [0, 2, 1, 3]), outputShape);
    },
  );
}

/** Gathers along an axis: the axis moves to the front, rows are gathered, and the index axes take its place. */
function gatherAlong(
  tape: Tape,
  table: Node,
  indices: Node,
  axis: number,
  shape: readonly number[],
): Node {
  const axes = [...table.shape.keys()];
  const rows = permute(tape, table, [axis, ...axes.filter((a) => a !== axis)]);
  const found = gatherRows(tape, rows, indices);
  const rank = indices.shape.length;
  const before = axes.slice(0, axis).map((a) => rank + a);
  const after = axes.slice(axis, -1).map((a) => rank + a);
  const back = [...before, ...Array.from({ length: rank }, (_, i) => i), ...after];
  return tape.reshape(permute(tape, found, back), shape);
}
