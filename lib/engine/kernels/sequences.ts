/**
 * Kernels that depend on the order along an axis: cumulative sums and products, top-k.
 * @module
 */
import type { Node } from "@/engine/ir.ts";
import { isNaNs } from "@/engine/kernels/formulas.ts";
import { slice } from "@/engine/kernels/slices.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import type { Tape } from "@/engine/tape.ts";
import { sizeOf } from "@/engine/views.ts";

type CumulativeAttributes = {
  readonly axis: number;
  readonly exclusive?: boolean;
  readonly reverse?: boolean;
};

/** `x` shifted by `distance` along an axis; vacated positions hold `value`. */
function shift(
  tape: Tape,
  x: Node,
  { axis, distance, backwards, value }: {
    readonly axis: number;
    readonly distance: number;
    readonly backwards: boolean;
    readonly value: number;
  },
): Node {
  const size = x.shape[axis] as number;
  const begin = x.shape.map(() => 0).with(axis, backwards ? distance : 0);
  const kept = slice(tape, x, begin, x.shape.with(axis, size - distance));
  const none: readonly [number, number] = [0, 0];
  const paddings = x.shape.map(() => none)
    .with(axis, backwards ? [0, distance] : [distance, 0]);
  return tape.make({ kind: "pad", paddings, value }, [kept], x.shape, x.dtype);
}

/**
 * All prefix sums or products along an axis, in ⌈log₂ n⌉ passes over the array. Each pass combines every element
 * with the one that is twice as far back as in the pass before (Hillis and Steele, doi:10.1145/7902.7903).
 */
function accumulate(
  tape: Tape,
  x: Node,
  name: "add" | "mul",
  { axis: given, exclusive = false, reverse = false }: CumulativeAttributes,
): Node {
  const axis = given < 0 ? given + x.shape.length : given;
  const size = x.shape[axis] ?? 1;
  if (sizeOf(x.shape) === 0 || x.shape.length === 0) return x;
  const value = name === "add" ? 0 : 1;
  const moved = (node: Node, distance: number) =>
    shift(tape, node, { axis, distance, backwards: reverse, value });
  let result = x;
  if (exclusive) result = size === 1 ? tape.constant(value, x.shape, x.dtype) : moved(x, 1);
  for (let distance = 1; distance < size; distance *= 2) {
    result = tape.binary(name, result, moved(result, distance));
  }
  return result;
}

/** Registers the kernels of sequences in TensorFlow.js. */
export function registerSequenceKernels(): void {
  for (const [kernel, name] of [["Cumsum", "add"], ["Cumprod", "mul"]] as const) {
    registerKernel<CumulativeAttributes>(kernel, ({ tape, input, attributes }) => {
      const x = input("x");
      return accumulate(tape, x.dtype === "bool" ? tape.cast(x, "int32") : x, name, attributes);
    });
  }
  registerKernel<{ k: number }>("TopK", ({ tape, input, attributes: { k } }) => {
    const x = input("x");
    const size = x.shape.at(-1);
    if (size === undefined || x.dtype === "bool") return null;
    const shape = x.shape.with(-1, k);
    if (sizeOf(shape) === 0) {
      return [tape.constant(0, shape, x.dtype), tape.constant(0, shape, "int32")];
    }
    tape.takeAtMost(k, size);
    // NaN comes last.
    const ordered = x.dtype === "float32"
      ? tape.where(isNaNs(tape, x), tape.constant(-Infinity, x.shape), x)
      : x;
    const indices = tape.make({ kind: "top", count: k }, [ordered], shape, "int32");
    const rows = sizeOf(x.shape) / size;
    const starts = tape.data(
      Int32Array.from({ length: rows }, (_, i) => i * size),
      [rows, 1],
      "int32",
    );
    const places = tape.binary("add", tape.reshape(indices, [rows, k]), starts);
    const flat = tape.reshape(x, [rows * size]);
    const values = tape.make({ kind: "gather" }, [flat, places], [rows, k], x.dtype);
    return [tape.reshape(values, shape), indices];
  });
}
