/**
 * Random functions whose inputs have free sizes, drawn by fast-check. Every operation follows from names of
 * axes alone, so that a function does the same at all sizes, 1 and equal ones among them.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { dropoutMask, gelu, layerNorm } from "@/engine/neural.ts";

/** A tensor with the names of its axes; "3" is a size of 3. */
export type Named = { readonly x: tf.Tensor; readonly axes: readonly string[] };

/** Operations one after another, each on one of the tensors so far, and another that fits. */
export type GenericPlan = readonly {
  readonly name: string;
  readonly first: number;
  readonly second: number;
}[];

/** What operations may use beside tensors so far. */
type Surroundings = { readonly ids: Named; readonly seed: tf.Scalar; readonly table: tf.Tensor2D };

type Step = (a: Named, others: readonly Named[], around: Surroundings) => Named | null;

const same = (run: (x: tf.Tensor) => tf.Tensor): Step => ({ x, axes }) => ({ x: run(x), axes });

/** Of two tensors with the same axes. */
const both = (run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Step => (a, others) => {
  const b = others.find(({ axes }) => `${axes}` === `${a.axes}`);
  return b === undefined ? null : { x: run(a.x, b.x), axes: a.axes };
};

const ofRank = (least: number, run: Step): Step => (a, others, around) =>
  a.axes.length < least ? null : run(a, others, around);

const width = ({ x }: Named) => x.shape.at(-1) as number;

const STEPS: Readonly<Record<string, Step>> = {
  exp: same((x) => tf.exp(tf.tanh(x))),
  erf: same((x) => tf.erf(x)),
  gelu: same((x) => gelu(x)),
  halve: same((x) => tf.mul(x, 0.5)),
  choose: same((x) => tf.leakyRelu(x, 0.3)),
  add: both((a, b) => tf.add(a, b)),
  mul: both((a, b) => tf.mul(tf.tanh(a), b)),
  softmax: ofRank(1, same((x) => tf.softmax(x))),
  logSoftmax: ofRank(1, same((x) => tf.mul(tf.logSoftmax(x), 0.1))),
  centre: ofRank(1, same((x) => tf.sub(x, tf.mean(x, -1, true)))),
  largest: ofRank(1, same((x) => tf.sub(tf.max(x, -1, true), x))),
  reverse: ofRank(1, same((x) => tf.reverse(x, -1))),
  sumLast: ofRank(1, ({ x, axes }) => ({ x: tf.mul(tf.sum(x, -1), 0.1), axes: axes.slice(0, -1) })),
  sumFirst: ofRank(1, ({ x, axes }) => ({ x: tf.mul(tf.sum(x, 0), 0.1), axes: axes.slice(1) })),
  transpose: ofRank(2, ({ x, axes }) => ({ x: tf.transpose(x), axes: axes.toReversed() })),
  flatten: ofRank(2, ({ x, axes: [a, b, ...rest] }) => ({
    x: tf.reshape(x, [-1, ...x.shape.slice(2)]),
    axes: [`${a}·${b}`, ...rest],
  })),
  twice: ofRank(1, ({ x, axes: [first, ...rest] }) => ({
    x: tf.tile(x, x.shape.map((_, i) => i === 0 ? 2 : 1)),
    axes: [`2·${first}`, ...rest],
  })),
  pile: (a) => ({ x: tf.stack([a.x, tf.tanh(a.x)], 0), axes: ["2", ...a.axes] }),
  spread: ofRank(2, (a, others) => {
    const row = others.find(({ axes }) => axes.length === 1 && axes[0] === a.axes.at(-1));
    return row === undefined ? null : { x: tf.mul(a.x, tf.tanh(row.x)), axes: a.axes };
  }),
  gram: (a) =>
    a.axes.length !== 2 ? null : {
      x: tf.tanh(tf.matMul(a.x, a.x, false, true)),
      axes: [a.axes[0] as string, a.axes[0] as string],
    },
  moments: (a) =>
    a.axes.length !== 2 ? null : {
      x: tf.tanh(tf.matMul(a.x, a.x, true, false)),
      axes: [a.axes[1] as string, a.axes[1] as string],
    },
  attend: (a) =>
    a.axes.length !== 3 ? null : {
      x: tf.matMul(tf.softmax(tf.matMul(a.x, a.x, false, true)), a.x),
      axes: a.axes,
    },
  project: ofRank(1, (a) => {
    if (a.axes.at(-1) !== "3") return null;
    const flat = tf.reshape(a.x, [-1, 3]) as tf.Tensor2D;
    const weight = tf.tensor2d([0.1, -0.2, 0.3, 0.4, 0.5, -0.6, 0.7, 0.8, -0.9], [3, 3]);
    const y = tf.add(tf.matMul(flat, weight), tf.tensor1d([0.1, 0.2, 0.3]));
    return { x: tf.reshape(y, a.x.shape), axes: a.axes };
  }),
  layerNorm: ofRank(2, (a) => ({
    x: tf.reshape(
      layerNorm(
        tf.reshape(a.x, [-1, width(a)]) as tf.Tensor2D,
        tf.ones([width(a)]),
        tf.zeros([width(a)]),
        0.1,
      ),
      a.x.shape,
    ),
    axes: a.axes,
  })),
  lookUp: (_, __, { ids, table }) => ({ x: tf.gather(table, ids.x), axes: [...ids.axes, "3"] }),
  oneHot: (_, __, { ids }) => ({
    x: tf.cast(tf.oneHot(ids.x as tf.Tensor2D, 5), "float32"),
    axes: [...ids.axes, "5"],
  }),
  drop: ofRank(1, (a, _, { seed }) => ({
    x: tf.mul(a.x, dropoutMask(a.x.shape, { seed, rate: 0.25, site: "plan" })),
    axes: a.axes,
  })),
};

/** Random functions. */
export const genericPlans: fc.Arbitrary<GenericPlan> = fc.array(
  fc.record({
    name: fc.constantFrom(...Object.keys(STEPS)),
    first: fc.nat(50),
    second: fc.nat(50),
  }),
  { minLength: 1, maxLength: 9 },
);

/** Follows a plan from given tensors and gives all results. */
export function followGenericPlan(
  plan: GenericPlan,
  leaves: readonly Named[],
  around: Surroundings,
): Named[] {
  const tensors = [...leaves];
  for (const { name, first, second } of plan) {
    const turn = second % tensors.length;
    const others = [...tensors.slice(turn), ...tensors.slice(0, turn)];
    const result = STEPS[name]?.(tensors[first % tensors.length] as Named, others, around) ?? null;
    if (result !== null && result.axes.length < 5) tensors.push(result);
  }
  return tensors.slice(leaves.length);
}
