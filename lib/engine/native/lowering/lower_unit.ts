/**
 * Lowers scheduled units to instructions.
 * @module
 */
import { layOutNest } from "@/engine/fusion/nest.ts";
import type { Unit } from "@/engine/fusion/fuse.ts";
import { type LoweredGraph, STORAGE_BYTES } from "@/engine/fusion/lowering.ts";
import type { Operand } from "@/engine/fusion/operands.ts";
import { type Matmul, strideOf } from "@/engine/fusion/matmuls.ts";
import type { Node } from "@/engine/ir.ts";
import { type Buffer, type BufferTable, type Instruction, makeInstruction } from "./instruction.ts";
import {
  ARG_REDUCTIONS,
  MATMUL_FLAGS,
  MATMUL_NUMBERS,
  REDUCTIONS,
  SCATTER_FLAGS,
  SIZES,
} from "../abi.ts";
import { classifyGroup, countGroup, countMatmul, countScatter, NO_WORK } from "./count_work.ts";
import { printKernel } from "@/engine/native/codegen/print_kernel.ts";
import type { KernelTexts } from "@/engine/native/codegen/kernel_texts.ts";
import { UnsupportedError } from "@/engine/errors.ts";
import { type Digit, identityView, isContiguous, sizeOf, splitView } from "@/engine/views.ts";

/** The graph of the units, and the tables that collect their instructions' buffers and kernels. */
export type LoweringContext = {
  readonly lowered: LoweredGraph;
  readonly buffers: BufferTable;
  readonly kernels: KernelTexts;
  readonly threads: number;
  exportsOf(unit: Unit): ReadonlySet<Node>;
};

/** The instructions of one unit. */
export function lowerUnit(unit: Unit, context: LoweringContext): Instruction[] {
  const { lowered } = context;
  const [node] = unit.nodes as [Node];
  if (unit.kind === "group") return lowerGroup(unit, context);
  const matmul = lowered.matmuls.get(node);
  if (matmul !== undefined) return [lowerMatmul(matmul, context)];
  const scatter = lowered.scatters.get(node);
  if (scatter !== undefined) return [lowerScatter(node, context)];
  return lowerSingle(node, context);
}

function lowerGroup(unit: Unit, context: LoweringContext): Instruction[] {
  const { lowered, buffers, kernels, threads } = context;
  const exported = context.exportsOf(unit);
  const { resolve, targets } = lowered;
  const nest = layOutNest(unit, { resolve, exported, targets });
  const parts = SIZES.maxChunks * threads;
  const { draft, columnSums, ...operands } = printKernel(nest, buffers, parts);
  const { rows, columns } = unit.space;
  const origin = unit.nodes.at(-1) as Node;
  const instruction = makeInstruction({
    ...{ opcode: "kernel", origin, kernel: kernels.add(draft), kernelNodes: nest.nodes },
    kind: classifyGroup(unit),
    countWork: () => countGroup(unit, exported, lowered),
    rows: unit.flat ? rows * columns : rows,
    cut: unit.flat ? 64 : 1,
    everyChunk: columnSums.length > 0,
    ...operands,
  });
  const combine = columnSums.map(({ node, partial }) => {
    const sum = buffers.of(node);
    return makeInstruction({
      ...{ opcode: "combine", kind: "columns", origin: node, countWork: () => NO_WORK },
      ...{
        pointers: [sum, partial],
        numbers: [columns, parts],
        reads: [partial],
        writes: [sum],
      },
    });
  });
  return [instruction, ...combine];
}

/** The stride of an axis of a factor, which has only one. */
function onlyStride(digits: readonly Digit[] | undefined): number {
  const stride = strideOf(digits ?? []);
  if (stride === null) {
    throw new UnsupportedError("a matrix product that reads an axis with two strides");
  }
  return stride;
}

/** A matrix product: views of its operands are strides, so transposes and split heads cost nothing. */
function lowerMatmul(matmul: Matmul, { lowered, buffers }: LoweringContext): Instruction {
  const { node, shape, shapeA, shapeB, transposeA, transposeB, bias, onto, half, permuted } =
    matmul;
  const { sumsRoundedTo } = matmul;
  // Operands may be matrix products that were written permuted.
  const through = ({ base, view }: Operand) => {
    const own = lowered.resolve(base);
    return own.base === base && isContiguous(own.view, sizeOf(base.shape))
      ? { base, view }
      : { base, view: lowered.compose(view, own.view) };
  };
  const a = through(matmul.a), b = through(matmul.b);
  const axesA = splitView(a.view, shapeA), axesB = splitView(b.view, shapeB);
  const axesC = splitView(permuted ?? identityView(shape), shape);
  if (axesA === null || axesB === null || axesC === null || shape.length > 4) {
    throw new UnsupportedError("a matrix product of an operand that is not strided");
  }
  const [rows, columns] = [shape.at(-2) as number, shape.at(-1) as number];
  const inner = shapeA.at(transposeA ? -2 : -1) as number;
  const matrix = (axes: Digit[][], transposed: boolean) => {
    const [first, second] = [onlyStride(axes.at(-2)), onlyStride(axes.at(-1))];
    return transposed ? [second, first] as const : [first, second] as const;
  };
  const [rowA, columnA] = matrix(axesA, transposeA), [rowB, columnB] = matrix(axesB, transposeB);
  const unit = (stride: number, size: number) => size === 1 || stride === 1;
  if (
    !(unit(rowA, rows) || unit(columnA, inner)) || !(unit(rowB, inner) || unit(columnB, columns))
  ) throw new UnsupportedError("a matrix product of an operand without a unit stride");
  const batches = shape.length - 2;
  type Pair = [outer: number, inner: number];
  const sizes: Pair = [1, 1];
  const strides: Record<"a" | "b" | "c", Pair> = { a: [0, 0], b: [0, 0], c: [0, 0] };
  for (let axis = 0; axis < batches; axis++) {
    const at = 2 - batches + axis;
    sizes[at] = shape[axis] as number;
    strides.a[at] = onlyStride(axesA[axis]);
    strides.b[at] = onlyStride(axesB[axis]);
    strides.c[at] = onlyStride(axesC[axis]);
  }
  const [bufferA, bufferB, bufferC] = [buffers.of(a.base), buffers.of(b.base), buffers.of(node)];
  const isHalf = ({ storage }: Buffer) => storage === "bfloat16";
  const FLAGS = MATMUL_FLAGS;
  const flags = (isHalf(bufferA) ? FLAGS.aBf16 : 0) | (isHalf(bufferB) ? FLAGS.bBf16 : 0) |
    (isHalf(bufferC) ? FLAGS.cBf16 : 0) | (onto ? FLAGS.accumulate : 0) |
    (half ? FLAGS.inBf16 : 0) |
    (sumsRoundedTo === "bfloat16" ? FLAGS.roundBf16 : 0) |
    (sumsRoundedTo === "float16" ? FLAGS.roundF16 : 0);
  const biasBuffer = bias ? buffers.of(bias.base) : null;
  const ontoBuffer = onto ? buffers.of(onto) : null;
  const reads = [bufferA, bufferB];
  if (biasBuffer) reads.push(biasBuffer);
  if (ontoBuffer) reads.push(ontoBuffer);
  const shiftA = a.view.offset * STORAGE_BYTES[bufferA.storage];
  const shiftB = b.view.offset * STORAGE_BYTES[bufferB.storage];
  const words: Readonly<Record<keyof typeof MATMUL_NUMBERS, number>> = {
    ...{ m: rows, n: columns, k: inner, flags, rowA, columnA, rowB, columnB },
    rowC: onlyStride(axesC.at(-2)) || columns,
    ...{ outerItems: sizes[0], innerItems: sizes[1] },
    ...{ outerStrideA: strides.a[0], innerStrideA: strides.a[1] },
    ...{ outerStrideB: strides.b[0], innerStrideB: strides.b[1] },
    ...{ outerStrideC: strides.c[0], innerStrideC: strides.c[1] },
  };
  const numbers = (Object.keys(MATMUL_NUMBERS) as (keyof typeof MATMUL_NUMBERS)[])
    .map((name) => words[name]);
  return makeInstruction({
    ...{ opcode: "matmul", kind: batches > 0 ? "attention" : "products", origin: node },
    countWork: () => countMatmul(matmul, lowered),
    persistent: batches === 0 && lowered.persistent.has(b.base)
      ? lowered.inputs.indexOf(b.base)
      : null,
    pointers: [bufferA, bufferB, bufferC, biasBuffer],
    shifts: [shiftA, shiftB, 0, 0],
    numbers,
    reads,
    writes: [bufferC],
    onto: ontoBuffer ? [[bufferC, ontoBuffer]] : [],
  });
}

function lowerScatter(node: Node, { lowered, buffers }: LoweringContext): Instruction {
  const { scatter, onto } = lowered.scatters.get(node) ?? { scatter: node, onto: null };
  const [rowsNode, indexNode] = scatter.inputs as [Node, Node];
  const rows = plainBuffer(rowsNode, lowered, buffers);
  const indices = plainBuffer(indexNode, lowered, buffers);
  const table = buffers.of(node);
  const width = sizeOf(node.shape.slice(1));
  const count = sizeOf(indexNode.shape), tableRows = node.shape[0] ?? 1;
  return makeInstruction({
    ...{ opcode: "scatter", kind: "lookups", origin: node },
    countWork: () => countScatter({ count, width, tableRows, onto: onto !== null }),
    pointers: [rows, indices, table],
    numbers: [
      count,
      width,
      tableRows,
      (onto ? SCATTER_FLAGS.accumulate : 0) | (node.dtype === "int32" ? SCATTER_FLAGS.int32 : 0),
    ],
    reads: onto ? [rows, indices, table] : [rows, indices],
    writes: [table],
  });
}

/** The buffer of an operand that must be contiguous. */
function plainBuffer(node: Node, lowered: LoweredGraph, buffers: BufferTable): Buffer {
  const { base, view } = lowered.resolve(node);
  if (!isContiguous(view, sizeOf(base.shape)) || sizeOf(node.shape) !== sizeOf(base.shape)) {
    throw new UnsupportedError(`an operation on a view of ${base.operation.kind}`);
  }
  return buffers.of(base);
}

/** Operations that are neither matrix products nor fused. */
function lowerSingle(node: Node, { lowered, buffers }: LoweringContext): Instruction[] {
  const { operation, inputs, shape } = node;
  const result = buffers.of(node);
  const bytes = STORAGE_BYTES[result.storage];
  const operands = () => inputs.map((input) => plainBuffer(input, lowered, buffers));
  const common = { kind: "other", origin: node, writes: [result] } as const;
  switch (operation.kind) {
    case "view": {
      const base = buffers.of(inputs[0] as Node);
      const { digits, offset } = operation.view;
      const numbers = [
        bytes,
        offset,
        digits.length,
        ...digits.flatMap(({ size, stride }) => [size, stride]),
      ];
      return [
        makeInstruction({
          ...common,
          opcode: "copy",
          pointers: [base, result],
          numbers,
          reads: [base],
        }),
      ];
    }
    case "pad": {
      const [x] = operands() as [Buffer];
      const axes = operation.paddings.flatMap(([before], axis) => [
        before,
        inputs[0]?.shape[axis] as number,
        shape[axis] as number,
      ]);
      const fill = new Uint32Array(Float32Array.of(operation.value).buffer)[0] ?? 0;
      const bits = result.storage === "float32" ? fill : operation.value;
      const numbers = [shape.length, bytes, bits, ...axes];
      return [
        makeInstruction({ ...common, opcode: "pad", pointers: [x, result], numbers, reads: [x] }),
      ];
    }
    case "concat": {
      const parts = operands();
      const outer = sizeOf(shape.slice(0, operation.axis));
      const widths = inputs.map((input) => sizeOf(input.shape.slice(operation.axis)));
      const numbers = [bytes, outer, ...widths];
      return [
        makeInstruction({
          ...common,
          opcode: "concat",
          pointers: [result, ...parts],
          numbers,
          reads: parts,
        }),
      ];
    }
    case "reduce": {
      const [x] = operands() as [Buffer];
      const source = (inputs[0] as Node).shape;
      const { axes, name } = operation;
      const first = axes[0] ?? 0, last = axes.at(-1) ?? 0;
      if (last - first + 1 !== axes.length) {
        throw new UnsupportedError("a reduction over axes that are not adjacent");
      }
      const extents = [
        source.slice(0, first),
        source.slice(first, last + 1),
        source.slice(last + 1),
      ];
      const kinds: Readonly<Record<string, number>> = name in ARG_REDUCTIONS
        ? ARG_REDUCTIONS
        : REDUCTIONS;
      const kind = kinds[name], isInteger = x.storage === "int32";
      if ((x.storage !== "float32" && !isInteger) || kind === undefined) {
        throw new UnsupportedError(`the reduction ${name} of ${x.storage}`);
      }
      const typed = kind + (isInteger ? Object.keys(kinds).length : 0);
      const numbers = [typed, ...extents.map(sizeOf)];
      const opcode = kinds === REDUCTIONS ? "reduce" : "argReduce";
      return [makeInstruction({ ...common, opcode, pointers: [x, result], numbers, reads: [x] })];
    }
    case "matmul":
      return [lowerIntegerMatmul(node, operands(), result)];
    case "top":
      return [lowerTop(node, operands(), result)];
    default:
      throw new UnsupportedError(`the operation ${operation.kind}`);
  }
}

/** An integer matrix product, which wraps around; transposes are strides. */
function lowerIntegerMatmul(
  node: Node,
  operands: readonly Buffer[],
  result: Buffer,
): Instruction {
  const { operation, shape, inputs: [a], dtype } = node;
  if (operation.kind !== "matmul" || a === undefined) {
    throw new Error("internal: not a matrix product");
  }
  if (dtype !== "int32") throw new UnsupportedError(`a matrix product of ${dtype}`);
  const { transposeA, transposeB } = operation;
  const [rows = 1, columns = 1] = shape.slice(-2), items = sizeOf(shape.slice(0, -2));
  const inner = a.shape.at(transposeA ? -2 : -1) ?? 1;
  const stridesA = transposeA ? [1, rows] : [inner, 1];
  const stridesB = transposeB ? [1, inner] : [columns, 1];
  return makeInstruction({
    ...{ opcode: "integerMatmul", kind: "other", origin: node },
    pointers: [...operands, result],
    numbers: [items, rows, columns, inner, ...stridesA, ...stridesB],
    reads: operands,
    writes: [result],
  });
}

/** Indices of the largest elements of each row. */
function lowerTop(node: Node, operands: readonly Buffer[], result: Buffer): Instruction {
  const { operation, inputs: [x] } = node, [{ storage }] = operands as [Buffer];
  if (operation.kind !== "top" || x === undefined) {
    throw new Error("internal: not a top-k operation");
  }
  if (storage !== "float32" && storage !== "int32") {
    throw new UnsupportedError(`top-k of ${storage}`);
  }
  const size = x.shape.at(-1) ?? 1;
  return makeInstruction({
    ...{ opcode: "top", kind: "other", origin: node },
    pointers: [...operands, result],
    numbers: [storage === "int32" ? 1 : 0, sizeOf(x.shape) / size, size, operation.count],
    reads: operands,
    writes: [result],
  });
}
