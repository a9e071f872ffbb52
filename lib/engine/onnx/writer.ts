/**
 * Collects the operators of an ONNX graph: names values, deduplicates constants, lowers views to operators.
 * @module
 */
import { equalShapes } from "@/engine/tape.ts";
import { isContiguous, sizeOf, type View, viewIndices } from "@/engine/views.ts";
import type { OnnxAttribute, OnnxInitializer, OnnxNode } from "@/engine/onnx/protobuf.ts";
import type { ElementType } from "./onnx_runtime.ts";

/** Name of a value in the ONNX graph. */
export type OnnxName = string;

type Elements =
  | Float32Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Int8Array
  | Uint16Array;

/** Collects the operators and constants of a model. */
export class OnnxWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  #constants = new Map<string, OnnxName>();
  #names = 0;

  /** Appends an operator with one output and returns the output's name. */
  emit(
    op: string,
    inputs: readonly OnnxName[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain?: string,
  ): OnnxName {
    const output = `t${this.#names++}`;
    this.nodes.push({ op, inputs, outputs: [output], attributes, ...(domain ? { domain } : {}) });
    return output;
  }

  /** Appends an operator with several outputs. */
  emitMany(
    op: string,
    inputs: readonly OnnxName[],
    outputs: number,
    attributes: Readonly<Record<string, OnnxAttribute>>,
  ): OnnxName[] {
    const names = Array.from({ length: outputs }, () => `t${this.#names++}`);
    this.nodes.push({ op, inputs, outputs: names, attributes });
    return names;
  }

  /** Adds a constant with the given elements. */
  data(elements: Elements, type: ElementType, shape: readonly number[]): OnnxName {
    const name = `t${this.#names++}`;
    const { buffer, byteOffset, byteLength } = elements;
    const data = new Uint8Array(buffer, byteOffset, byteLength);
    this.initializers.push({ name, type, shape, data });
    return name;
  }

  /** Adds a constant list of integers, such as a shape or axes. */
  integers(values: readonly number[]): OnnxName {
    return this.#shared(
      `integers ${values}`,
      () => this.data(BigInt64Array.from(values, BigInt), "int64", [values.length]),
    );
  }

  /** Adds a constant scalar. */
  scalar(value: number, type: ElementType): OnnxName {
    return this.#shared(`${type} ${value} ${1 / value}`, () => {
      const elements = type === "float32"
        ? Float32Array.of(value)
        : type === "int32"
        ? Int32Array.of(value)
        : type === "int64"
        ? BigInt64Array.of(BigInt(value))
        : Uint8Array.of(value);
      return this.data(elements, type, []);
    });
  }

  #shared(key: string, make: () => OnnxName): OnnxName {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = make();
    this.#constants.set(key, name);
    return name;
  }

  reshape(x: OnnxName, from: readonly number[], to: readonly number[]): OnnxName {
    if (equalShapes(from, to)) return x;
    // By default, a size of 0 means that the operand's size is kept.
    const attributes: Record<string, OnnxAttribute> = to.includes(0) ? { allowzero: 1 } : {};
    return this.emit("Reshape", [x, this.integers(to)], attributes);
  }

  /** Transposes the matrices in the last two axes of an array of `rank` axes. */
  transposeMatrices(x: OnnxName, rank: number): OnnxName {
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    return this.emit("Transpose", [x], { perm: axes.with(-2, rank - 1).with(-1, rank - 2) });
  }

  /** The view `view` of `x`, from shape `from` to shape `to`. */
  view(x: OnnxName, from: readonly number[], view: View, to: readonly number[]): OnnxName {
    const size = sizeOf(from);
    if (isContiguous(view, size) && sizeOf(to) === size) return this.reshape(x, from, to);
    const parts = nestDigits(view, size);
    if (parts === null) {
      const flat = this.reshape(x, from, [size]);
      return this.emit("Gather", [flat, this.data(viewIndices(view), "int32", to)], { axis: 0 });
    }
    const { dimensions, starts, sizes, order } = parts;
    let value = x;
    let shape: readonly number[] = from;
    if (!equalShapes(dimensions, sizes)) {
      value = this.reshape(value, shape, dimensions);
      const cut = sizes.flatMap((size, axis) => size === dimensions[axis] ? [] : [axis]);
      const pick = (values: readonly number[]) =>
        this.integers(cut.map((axis) => values[axis] as number));
      const ends = sizes.map((size, axis) => size + (starts[axis] as number));
      value = this.emit("Slice", [value, pick(starts), pick(ends), this.integers(cut)]);
      shape = sizes;
    }
    if (order.some((axis, i) => axis !== i)) {
      // Axes that are not digits (inside a step) have size 1 now and go last.
      const rest = sizes.map((_, axis) => axis).filter((axis) => !order.includes(axis));
      value = this.reshape(value, shape, sizes);
      value = this.emit("Transpose", [value], { perm: [...order, ...rest] });
      shape = [...order, ...rest].map((axis) => sizes[axis] as number);
    }
    const repeated = view.digits.map(({ size }) => size);
    if (view.digits.some(({ stride }) => stride === 0)) {
      const ones = view.digits.map(({ size, stride }) => stride === 0 ? 1 : size);
      value = this.reshape(value, shape, ones);
      value = this.emit("Expand", [value, this.integers(repeated)]);
      shape = repeated;
    }
    return this.reshape(value, shape, to);
  }
}

/**
 * Expresses a view as slices of a reshaped array: its `dimensions`, the `starts` and `sizes` of the slice along each of
 * them, and the `order` of the axes among the view's nonconstant digits. Null if the view's strides do not nest.
 */
function nestDigits(view: View, size: number): {
  dimensions: number[];
  starts: number[];
  sizes: number[];
  order: number[];
} | null {
  const moving = view.digits.filter(({ stride }) => stride !== 0);
  const sorted = [...moving].sort((a, b) => b.stride - a.stride);
  const dimensions: number[] = [], starts: number[] = [];
  let above = size, rest = view.offset;
  for (const { stride } of sorted) {
    if (stride < 0 || above % stride !== 0) return null;
    dimensions.push(above / stride);
    starts.push(Math.floor(rest / stride));
    rest %= stride;
    above = stride;
  }
  const sizes = sorted.map((digit) => digit.size);
  if (above !== 1) {
    dimensions.push(above);
    starts.push(rest);
    sizes.push(1);
  }
  const fits = sizes.every((size, axis) =>
    (starts[axis] as number) + size <= (dimensions[axis] as number)
  );
  if (!fits) return null;
  return { dimensions, starts, sizes, order: moving.map((digit) => sorted.indexOf(digit)) };
}
