/**
 * Kernels of matrix products.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { DropoutMaskAttributes } from "@/engine/dropout_mask.ts";
import type { Node } from "@/engine/ir.ts";
import { activate } from "@/engine/kernels/activations.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import type { Tape } from "@/engine/tape.ts";
import { rowMajorStrides, sizeOf, stridedView } from "@/engine/views.ts";

type MatmulAttributes = { readonly transposeA: boolean; readonly transposeB: boolean };

type FusedAttributes = MatmulAttributes & {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
};

/** Records a matrix product of operands whose shapes were checked. */
function multiply(tape: Tape, a: Node, b: Node, attributes: MatmulAttributes): Node {
  const { transposeA = false, transposeB = false } = attributes;
  tf.util.assert(
    a.shape.length >= 2 && b.shape.length >= 2,
    () =>
      `Error in matMul: operands must have rank 2 or more: shapes are ${a.shape} and ${b.shape}`,
  );
  const innerA = a.shape.at(transposeA ? -2 : -1), innerB = b.shape.at(transposeB ? -1 : -2);
  tf.util.assert(
    innerA === innerB,
    () =>
      `Error in matMul: inner shapes (${innerA}) and (${innerB}) of Tensors with shapes ` +
      `${a.shape} and ${b.shape} and transposeA=${transposeA} and transposeB=${transposeB} ` +
      "must match.",
  );
  return tape.matmul(a, b, transposeA, transposeB);
}

/** Registers the kernels of matrix products in TensorFlow.js. */
export function registerMatmulKernels(): void {
  registerKernel<MatmulAttributes>(
    "BatchMatMul",
    ({ tape, input, attributes }) => {
      const a = input("a"), b = input("b");
      return a.dtype === "bool" ? null : multiply(tape, a, b, attributes);
    },
  );
  registerKernel<FusedAttributes>("_FusedMatMul", ({ tape, input, has, attributes }) => {
    const { activation = "linear", leakyreluAlpha } = attributes;
    const a = input("a");
    if (a.dtype === "bool") return null;
    const matmul = multiply(tape, a, input("b"), attributes);
    const sum = has("bias") ? tape.binary("add", matmul, input("bias")) : matmul;
    const slope = has("preluActivationWeights")
      ? input("preluActivationWeights")
      : leakyreluAlpha === undefined
      ? null
      : tape.constant(leakyreluAlpha);
    return activate(tape, sum, { activation, slope });
  });
  registerKernel<{ equation: string }>("Einsum", ({ tape, inputs, attributes: { equation } }) => {
    const { allDims, summedDims, idDims } = tf.backend_util.decodeEinsumEquation(
      equation,
      inputs.length,
    );
    const shapes = inputs.map(({ shape }) => ({ shape }) as tf.Tensor);
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, shapes);
    const output = allDims.slice(0, allDims.length - summedDims.length).map((_, dim) => dim);
    const [first, second] = inputs.map((x, i) => sumOwn(tape, { x, labels: idDims[i] ?? [] }, i));
    if (first === undefined) return null;
    const product = second === undefined ? first : contract(tape, first, second, output);
    return permute(tape, product, output);

    /** Sums over the labels that occur neither in the output nor in another operand. */
    function sumOwn(tape: Tape, { x, labels }: Labeled, operand: number): Labeled {
      const elsewhere = [...output, ...idDims.flatMap((dims, i) => i === operand ? [] : dims)];
      const axes = labels.flatMap((label, axis) => elsewhere.includes(label) ? [] : [axis]);
      return {
        x: axes.length === 0 ? x : tape.reduce("sum", x, axes, false),
        labels: labels.filter((label) => elsewhere.includes(label)),
      };
    }
  });
  registerKernel<DropoutMaskAttributes>(
    "DropoutMask",
    ({ tape, input, attributes: { shape, rate, site } }) =>
      tape.make({ kind: "dropout-mask", rate, site }, [input("seed")], shape, "float32"),
  );
}

/** An array with a label for each axis. */
type Labeled = { readonly x: Node; readonly labels: readonly number[] };

/** The array with its axes in the given order of labels. */
function permute(tape: Tape, { x, labels }: Labeled, order: readonly number[]): Node {
  const axes = order.map((label) => labels.indexOf(label));
  const own = rowMajorStrides(x.shape);
  const shape = axes.map((axis) => x.shape[axis] as number);
  return tape.view(x, shape, stridedView(shape, axes.map((axis) => own[axis] as number)));
}

/** Contracts two arrays over the shared labels that are not in `output`, as one matrix product. */
function contract(tape: Tape, a: Labeled, b: Labeled, output: readonly number[]): Labeled {
  const both = a.labels.filter((label) => b.labels.includes(label));
  const batch = both.filter((label) => output.includes(label));
  const summed = both.filter((label) => !output.includes(label));
  const ownA = a.labels.filter((label) => !both.includes(label));
  const ownB = b.labels.filter((label) => !both.includes(label));
  const sizes = (of: Labeled, labels: readonly number[]) =>
    labels.map((label) => of.x.shape[of.labels.indexOf(label)] as number);
  const stack = (of: Labeled, rows: readonly number[], columns: readonly number[]) =>
    tape.reshape(
      permute(tape, of, [...batch, ...rows, ...columns]),
      [batch, rows, columns].map((labels) => sizeOf(sizes(of, labels))),
    );
  const matmul = tape.matmul(stack(a, ownA, summed), stack(b, summed, ownB), false, false);
  return {
    x: tape.reshape(matmul, [...sizes(a, batch), ...sizes(a, ownA), ...sizes(b, ownB)]),
    labels: [...batch, ...ownA, ...ownB],
  };
}
