/**
 * Neural network operations that TensorFlow.js lacks, each with its gradient, written in `tf.*` operations so
 * that they run on every backend. Shapes: N rows, D columns.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import "./dropout_mask.ts";
import { RecordingBackend } from "./backend.ts";
import type { Composite } from "./ir.ts";
import { inRegion } from "./tape.ts";

/** A composite in terms of tensors; see `Composite` in `ir.ts`. */
type NamedComposite = Omit<Composite, "inputs"> & { readonly inputs: readonly tf.Tensor[] };

/**
 * Names the composite operation (softmax, layer norm, GELU) that the primitives of a tensor amount to, for executors that
 * have an operator for it: marks the node of `result` in place as the value of `composite`. Does nothing on a backend that does not record.
 */
function nameComposite(result: tf.Tensor, composite: NamedComposite): void {
  const backend = tf.backend();
  if (!(backend instanceof RecordingBackend)) return;
  const node = backend.nodeOf(result);
  node.composite ??= { ...composite, inputs: composite.inputs.map((x) => backend.nodeOf(x)) };
}

/**
 * Layer normalization over the last axis, population variance (Ba et al., arXiv 1607.06450; the
 * formula of PyTorch 2.13 `torch.nn.functional.layer_norm`).
 *
 * @param x [N, D]
 * @param gain [D]
 * @param bias [D]
 * @returns [N, D]
 */
export function layerNorm(
  x: tf.Tensor2D,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon: number,
): tf.Tensor2D {
  const run = tf.customGrad((x, gain, bias, save) =>
    inRegion("layer_norm", () => {
      const [input, scale, shift] = [x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D];
      const mean = tf.mean(input, -1, true); // [N, 1]
      const centered = tf.sub(input, mean); // [N, D]
      const variance = tf.mean(tf.mul(centered, centered), -1, true); // [N, 1]
      const inverse = tf.rsqrt(tf.add(variance, epsilon)); // [N, 1]
      const normalized = tf.mul(centered, inverse); // [N, D]
      const value = tf.add(tf.mul(normalized, scale), shift) as tf.Tensor2D;
      [value, mean, inverse].forEach((result, output) =>
        nameComposite(result, {
          op: "LayerNormalization",
          inputs: [input, scale, shift],
          attributes: { axis: -1, epsilon: { float: epsilon } },
          output,
        })
      );
      (save as tf.GradSaveFunc)([normalized, inverse, scale]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [normalized, inverse, scale] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
        const dn = tf.mul(dy, scale); // [N, D]
        const mean = tf.mean(dn, -1, true); // [N, 1]
        const slope = tf.mean(tf.mul(dn, normalized), -1, true); // [N, 1]
        const dx = tf.mul(tf.sub(tf.sub(dn, mean), tf.mul(normalized, slope)), inverse);
        return [dx, tf.sum(tf.mul(dy, normalized), 0), tf.sum(dy, 0)];
      };
      const backward = (dy: tf.Tensor, saved: tf.Tensor[]) =>
        inRegion("layer_norm_backward", () => gradFunc(dy, saved));
      return { value, gradFunc: backward };
    })
  );
  return run(x, gain, bias) as tf.Tensor2D;
}

/** x · Φ(x) with the exact normal distribution function (Hendrycks and Gimpel, arXiv 1606.08415). */
export function gelu<T extends tf.Tensor>(x: T): T {
  const run = tf.customGrad((x, save) =>
    inRegion("gelu", () => {
      const input = x as tf.Tensor;
      const cdf = tf.mul(tf.add(tf.erf(tf.mul(input, Math.SQRT1_2)), 1), 0.5);
      const value = tf.mul(input, cdf);
      nameComposite(value, { op: "Gelu", inputs: [input], attributes: {}, output: 0 });
      (save as tf.GradSaveFunc)([input]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [input] = saved as [tf.Tensor];
        const cdf = tf.mul(tf.add(tf.erf(tf.mul(input, Math.SQRT1_2)), 1), 0.5);
        const density = tf.mul(
          tf.exp(tf.mul(tf.mul(input, input), -0.5)),
          1 / Math.sqrt(2 * Math.PI),
        );
        return tf.mul(dy, tf.add(cdf, tf.mul(input, density)));
      };
      const backward = (dy: tf.Tensor, saved: tf.Tensor[]) =>
        inRegion("gelu_backward", () => gradFunc(dy, saved));
      return { value, gradFunc: backward };
    })
  );
  return run(x) as T;
}

/** The source of randomness of one dropout: equal values give equal masks on every executor. */
export type DropoutOptions = {
  /** Share of elements set to zero, in [0, 1). */
  readonly rate: number;
  /** Names the place in the model; different sites have independent masks. */
  readonly site: string;
  /** int32 scalar, new for every step. */
  readonly seed: tf.Scalar;
};

/**
 * Sets a random share of the elements to zero and scales the rest by 1 / (1 − rate) (Srivastava et al., 2014).
 * The mask is a function of seed, site and element only; see `dropout_mask.ts`.
 */
export function dropout<T extends tf.Tensor>(x: T, { rate, site, seed }: DropoutOptions): T {
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(
      `Cannot apply dropout as the rate must be in [0, 1): current value is ${rate}`,
    );
  }
  if (rate === 0) return x;
  return inRegion("dropout", () => tf.mul(x, dropoutMask(x.shape, { rate, site, seed }))) as T;
}

/** The mask itself: 0 or 1 / (1 − rate), float32, of the given shape. It has no gradient. */
export function dropoutMask(shape: number[], { rate, site, seed }: DropoutOptions): tf.Tensor {
  return tf.engine().runKernel("DropoutMask", { seed }, { shape, rate, site }) as tf.Tensor;
}
