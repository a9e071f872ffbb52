/**
 * Builds the ONNX graph of a model, node by node with the formulas of `bert.ts`, `pooling.ts` and
 * `multi_task.ts`. Batch size and length are dynamic. The operators are those of ONNX 1.12 (opset 17), which ONNX Runtime
 * has supported on CPUs, in browsers and on phones since 2022.
 *
 * Inputs: `input_ids`, `attention_mask` [B, T]. Outputs: `last_hidden_state` [B, T, D]; `sentence_embedding` [B, E];
 * for each task `logits.<task>`, [B, C] or [B, T, C]; on request `embedding.<pooling>` [B, E], not normalized.
 *
 * Shapes: B rows, T tokens, D hidden, A attention heads, d = D / A, E embedding, C labels.
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { assertNever } from "@/assert_never.ts";
import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import type { OnnxGraph, OnnxValue } from "@/engine/onnx/protobuf.ts";
import { type OnnxName, OnnxWriter } from "@/engine/onnx/writer.ts";
import {
  embeddingName,
  HIDDEN_STATES,
  logitsName,
  SENTENCE_EMBEDDING,
} from "@/model/onnx_names.ts";
import { addLookup, addMatmul, type Matrix, type OnnxDtype } from "@/model/onnx_weights.ts";
import {
  type Attention,
  type Embeddings,
  embeddingSize,
  type FeedForward,
  type LayerNorm,
  type Linear,
  type MultiTask,
  type TaskHead,
} from "@/model/parameters.ts";

/** Versions of the file format and of the operators. */
export const ONNX_VERSIONS = { ir: 8, opset: 17 } as const;

/** The values of a model's parameters. */
type ParameterValues = ReadonlyMap<tf.Variable, Float32Array>;

const MASKED = -1e9; // added to the score of a padded position, as in training
const MIN_NORM = 1e-12; // smallest divisor of an embedding
const HEAD_EPSILON = 1e-5;

/** Adds the layers of a model to a graph, one method per layer. */
class GraphBuilder {
  readonly writer = new OnnxWriter();

  constructor(readonly values: ParameterValues, readonly dtype: OnnxDtype) {}

  /** Adds an operator with one output and returns that output's name. */
  add(
    op: string,
    inputs: readonly OnnxName[],
    attributes?: Parameters<OnnxWriter["emit"]>[2],
  ): OnnxName {
    return this.writer.emit(op, inputs, attributes);
  }
  scalar(value: number): OnnxName {
    return this.writer.scalar(value, "float32");
  }
  #read(variable: tf.Variable): Float32Array {
    const values = this.values.get(variable);
    if (values === undefined) throw new TypeError(`internal: no values for ${variable.name}`);
    return values;
  }
  matrix(variable: tf.Variable<tf.Rank.R2>): Matrix {
    const [rows, columns] = variable.shape;
    return { values: this.#read(variable), rows, columns };
  }
  #vector(variable: tf.Variable<tf.Rank.R1>): OnnxName {
    return this.writer.data(this.#read(variable), "float32", variable.shape);
  }

  linear({ weight, bias }: Linear, x: OnnxName, dtype = this.dtype): OnnxName {
    const product = addMatmul(this.writer, x, { weight: this.matrix(weight), dtype });
    return this.add("Add", [product, this.#vector(bias)]);
  }
  norm({ weight, bias }: LayerNorm, x: OnnxName, epsilon: number): OnnxName {
    const inputs = [x, this.#vector(weight), this.#vector(bias)];
    return this.add("LayerNormalization", inputs, { axis: -1, epsilon: { float: epsilon } });
  }
  /** x · (erf(x / √2) + 1) / 2, a pattern that runtimes recognize as GELU. */
  gelu(x: OnnxName): OnnxName {
    const erf = this.add("Erf", [this.add("Div", [x, this.scalar(Math.SQRT2)])]);
    const twice = this.add("Mul", [x, this.add("Add", [erf, this.scalar(1)])]);
    return this.add("Mul", [twice, this.scalar(0.5)]);
  }

  /** [B, T] → [B, T, D] */
  embeddings(
    { words, positions, types, norm }: Embeddings,
    ids: OnnxName,
    epsilon: number,
  ): OnnxName {
    const { writer, dtype } = this;
    const word = addLookup(writer, ids, { table: this.matrix(words), dtype });
    const size = this.add("Gather", [this.add("Shape", [ids]), writer.scalar(1, "int64")]);
    const places = this.add("Range", [
      writer.scalar(0, "int64"),
      size,
      writer.scalar(1, "int64"),
    ]); // [T]
    const table = addToRows(this.matrix(positions), this.matrix(types).values); // every token has type 0
    const place = addLookup(writer, places, { table, dtype }); // [T, D]
    return this.norm(norm, this.add("Add", [word, place]), epsilon);
  }

  /** [B, T, D] → [B, T, D]; `maskBias` is [B, 1, 1, T]. */
  attention(
    { query, key, value, output, norm }: Attention,
    x: OnnxName,
    { heads, maskBias, epsilon }: {
      readonly heads: number;
      readonly maskBias: OnnxName;
      readonly epsilon: number;
    },
  ): OnnxName {
    const [hidden] = query.weight.shape;
    const width = hidden / heads;
    const split = (linear: Linear, perm: readonly number[]) => {
      const parts = [this.linear(linear, x), this.writer.integers([0, 0, heads, width])];
      return this.add("Transpose", [this.add("Reshape", parts)], { perm });
    };
    const q = split(query, [0, 2, 1, 3]); // [B, A, T, d]
    const k = split(key, [0, 2, 3, 1]); // [B, A, d, T]
    const v = split(value, [0, 2, 1, 3]);
    const scaled = this.add("Mul", [
      this.add("MatMul", [q, k]),
      this.scalar(1 / Math.sqrt(width)),
    ]);
    const chances = this.add("Softmax", [this.add("Add", [scaled, maskBias])], { axis: -1 });
    const context = this.add("Transpose", [this.add("MatMul", [chances, v])], {
      perm: [0, 2, 1, 3],
    });
    const joined = this.add("Reshape", [context, this.writer.integers([0, 0, hidden])]);
    return this.norm(norm, this.add("Add", [this.linear(output, joined), x]), epsilon);
  }

  /** [B, T, D] → [B, T, D] */
  feedForward(
    { intermediate, output, norm }: FeedForward,
    x: OnnxName,
    epsilon: number,
  ): OnnxName {
    const inner = this.gelu(this.linear(intermediate, x)); // [B, T, I]
    return this.norm(norm, this.add("Add", [this.linear(output, inner), x]), epsilon);
  }

  /** [B, T] → [B, T, 1]: `mask`, set to 0 at positions for which `isKept` is false. */
  #keep(mask: OnnxName, positions: number, isKept: (position: number) => boolean): OnnxName {
    const integers = (...values: number[]) => this.writer.integers(values);
    const kept = Float32Array.from({ length: positions }, (_, at) => isKept(at) ? 1 : 0);
    const table = this.writer.data(kept, "float32", [positions]);
    const length = this.add("Slice", [this.add("Shape", [mask]), integers(1), integers(2)]);
    const own = this.add("Slice", [table, integers(0), length]); // [T]
    return this.add("Unsqueeze", [this.add("Mul", [mask, own]), integers(2)]);
  }

  /** [B, T, D] → [B, D]; `mask` is [B, T], float32. */
  pool(
    { pooling, poolingStart, encoder }: Pick<MultiTask, "pooling" | "poolingStart" | "encoder">,
    states: OnnxName,
    mask: OnnxName,
  ): OnnxName {
    const { writer } = this;
    const { maxPositions } = encoder.config;
    const wide = poolingStart === 0
      ? this.add("Unsqueeze", [mask, writer.integers([2])]) // [B, T, 1]
      : this.#keep(mask, maxPositions, (position) => position >= poolingStart);
    const sum = (x: OnnxName) => this.add("ReduceSum", [x, writer.integers([1])], { keepdims: 0 });
    const takeFirst = () => {
      const first = this.add("Gather", [states, writer.scalar(0, "int64")], { axis: 1 }); // [B, D]
      if (poolingStart === 0) return first;
      const chosen = this.#keep(mask, maxPositions, (position) => position === poolingStart);
      const none = this.add("Sub", [this.scalar(1), sum(chosen)]);
      return this.add("Add", [
        sum(this.add("Mul", [states, chosen])),
        this.add("Mul", [first, none]),
      ]);
    };
    switch (pooling) {
      case "mean":
        return this.add("Div", [
          sum(this.add("Mul", [states, wide])),
          this.add("Max", [sum(wide), this.scalar(1)]), // zeros for a row without real tokens
        ]);
      case "max": {
        const padded = this.add("Sub", [this.scalar(1), wide]);
        const lowered = this.add("Mul", [padded, this.scalar(MASKED)]);
        const largest = (x: OnnxName) => this.add("ReduceMax", [x], { axes: [1], keepdims: 0 });
        return this.add("Mul", [largest(this.add("Add", [states, lowered])), largest(wide)]);
      }
      case "cls":
        if (encoder.pooler === null) {
          throw new TypeError(
            'Cannot export pooling "cls": it requires a pooler, but the encoder has none',
          );
        }
        return this.add("Tanh", [this.linear(encoder.pooler, takeFirst())]);
      case "cls-token":
        return takeFirst();
      default:
        return assertNever(pooling, "pooling mode");
    }
  }

  /** [B, E] → [B, E] */
  normalize(x: OnnxName, mode: NormalizeMode): OnnxName {
    if (mode === "none") return x;
    const op = mode === "l1" ? "ReduceL1" : "ReduceL2";
    const length = this.add(op, [x], { axes: [-1], keepdims: 1 });
    return this.add("Div", [x, this.add("Max", [length, this.scalar(MIN_NORM)])]);
  }

  /** [N…, E] → [N…, C]; the last layer is small and stays float32. */
  head({ dense, norm, out }: TaskHead, x: OnnxName): OnnxName {
    const active = this.gelu(this.norm(norm, this.linear(dense, x), HEAD_EPSILON));
    return this.linear(out, active, "fp32");
  }
}

/** Adds the first columns of `row` to every row of the table. */
function addToRows({ values, rows, columns }: Matrix, row: Float32Array): Matrix {
  return { values: values.map((value, i) => value + (row[i % columns] ?? 0)), rows, columns };
}

/** Options of an exported graph. */
export type GraphOptions = {
  /** Data type of the weights. */
  readonly dtype: OnnxDtype;
  /** Additional poolings, each with its own output; by default none. */
  readonly poolings?: readonly PoolingMode[];
};

/** Builds the graph of `model`, with `values` as the values of its parameters. */
export function buildModelGraph(
  model: MultiTask,
  values: ParameterValues,
  { dtype, poolings = [] }: GraphOptions,
): OnnxGraph {
  const builder = new GraphBuilder(values, dtype);
  const { encoder: { config, embeddings, layers }, projection, tasks } = model;
  const epsilon = config.layerNormEpsilon;
  const mask = builder.add("Cast", ["attention_mask"], { to: 1 }); // [B, T]
  const padded = builder.add("Mul", [
    builder.add("Sub", [builder.scalar(1), mask]),
    builder.scalar(MASKED),
  ]);
  const maskBias = builder.add("Unsqueeze", [padded, builder.writer.integers([1, 2])]);
  let states = builder.embeddings(embeddings, "input_ids", epsilon);
  for (const { attention, feedForward } of layers) {
    const options = { heads: config.attentionHeads, maskBias, epsilon };
    states = builder.attention(attention, states, options);
    states = builder.feedForward(feedForward, states, epsilon);
  }
  const pool = (pooling: PoolingMode) => {
    const pooled = builder.pool({ ...model, pooling }, states, mask);
    return projection === null ? pooled : builder.linear(projection, pooled);
  };
  const embedding = builder.normalize(pool(model.pooling), model.normalize);

  const outputs: OnnxValue[] = [];
  /** Adds `value` to the graph's outputs under `name`. */
  const expose = (name: string, value: OnnxName, shape: OnnxValue["shape"]) => {
    builder.writer.nodes.push({ op: "Identity", inputs: [value], outputs: [name] });
    outputs.push({ name, type: "float32", shape });
  };
  expose(HIDDEN_STATES, states, ["batch", "sequence", config.hiddenSize]);
  expose(SENTENCE_EMBEDDING, embedding, ["batch", embeddingSize(model)]);
  for (const pooling of poolings) {
    expose(embeddingName(pooling), pool(pooling), ["batch", embeddingSize(model)]);
  }
  for (const { name, kind, labels } of tasks) {
    const head = model.heads.get(name);
    if (head === undefined) throw new TypeError(`internal: task ${name} has no head`);
    switch (kind) {
      case "classification":
        expose(logitsName(name), builder.head(head, embedding), ["batch", labels.length]);
        break;
      case "tagging": {
        const shape = ["batch", "sequence", labels.length];
        expose(logitsName(name), builder.head(head, states), shape);
        break;
      }
      default:
        assertNever(kind, "task kind");
    }
  }
  const tokens = { type: "int64", shape: ["batch", "sequence"] } as const;
  return {
    name: "multi-task sentence transformer",
    nodes: builder.writer.nodes,
    inputs: [{ name: "input_ids", ...tokens }, { name: "attention_mask", ...tokens }],
    outputs,
    initializers: builder.writer.initializers,
  };
}
