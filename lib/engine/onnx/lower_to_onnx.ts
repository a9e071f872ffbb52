/**
 * Lowers a graph to ONNX operators.
 *
 * Broadcasting views become ONNX's implicit broadcasting. Matrix products absorb adjacent transposes, biases, scales
 * and sums. Composites with an equivalent ONNX operator replace their primitives.
 * @module
 */
import { type Graph, reachableNodes } from "@/engine/graph.ts";
import type { BinaryOperation, Composite, Node, Reduction, UnaryOperation } from "@/engine/ir.ts";
import { findBroadcastForm, matchMatmul, type Matmul } from "./match_patterns.ts";
import { emitDropoutMask } from "./lower_dropout.ts";
import type { OnnxGraph, OnnxNode } from "./protobuf.ts";
import { type OnnxName, OnnxWriter } from "./writer.ts";
import { isConstant } from "@/engine/tape.ts";
import { sizeOf, splitView } from "@/engine/views.ts";

/** ONNX names of unary operations. */
const UNARY = {
  neg: "Neg",
  abs: "Abs",
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  rsqrt: "Sqrt", // followed by Reciprocal
  reciprocal: "Reciprocal",
  erf: "Erf",
  tanh: "Tanh",
  sin: "Sin",
  cos: "Cos",
  floor: "Floor",
  ceil: "Ceil",
  round: "Round",
  sign: "Sign",
  not: "Not",
  "round-bfloat16": "Cast", // to the half type and back
  "round-float16": "Cast",
} as const satisfies Record<UnaryOperation, string>;

/** ONNX names of binary operations. */
const BINARY = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  max: "Max",
  min: "Min",
  pow: "Pow",
  eq: "Equal",
  ne: "Equal", // followed by Not
  lt: "Less",
  le: "LessOrEqual",
  gt: "Greater",
  ge: "GreaterOrEqual",
  and: "And",
  or: "Or",
} as const satisfies Record<BinaryOperation, string>;

/** ONNX names of reductions. */
const REDUCE = {
  sum: "ReduceSum",
  max: "ReduceMax",
  min: "ReduceMin",
  prod: "ReduceProd",
  any: "ReduceMax", // on integers
  all: "ReduceMin",
  argmax: "ArgMax",
  argmin: "ArgMin",
} as const satisfies Record<Reduction, string>;

/** The ONNX graph with inputs `i0 i1 …` and outputs `o0 o1 …`, in the order of the graph's inputs and outputs. */
export function lowerGraph(graph: Graph): OnnxGraph {
  return new Lowering(graph).run();
}

class Lowering {
  #writer = new OnnxWriter();
  #names = new Map<Node, OnnxName>();
  #matmuls = new Map<Node, Matmul>();
  #composites = new Map<string, OnnxName[]>();
  #order: readonly Node[];

  constructor(readonly graph: Graph) {
    const roots = graph.outputs.map(({ node }) => node);
    const withComposites = (node: Node) => node.composite?.inputs ?? node.inputs;
    const uses = new Map<Node, number>(roots.map((node) => [node, 1]));
    for (const node of reachableNodes(roots, withComposites)) {
      for (const input of withComposites(node)) uses.set(input, (uses.get(input) ?? 0) + 1);
    }
    const usedOnce = (node: Node) => uses.get(node) === 1;
    for (const node of reachableNodes(roots, withComposites)) {
      const matmul = node.composite ? null : matchMatmul(node, usedOnce);
      if (matmul !== null) this.#matmuls.set(node, matmul);
    }
    this.#order = reachableNodes(roots, (node) => this.#inputsOf(node));
  }

  /** The nodes whose values are read by the operators for `node`. */
  #inputsOf(node: Node): readonly Node[] {
    if (node.composite !== undefined) return node.composite.inputs;
    const matmul = this.#matmuls.get(node);
    const { kind } = node.operation;
    if (matmul?.kind === "scatter") return [...matmul.node.inputs, matmul.addend as Node];
    const operandBase = (input: Node, matrixAxes: number) =>
      input.operation.kind === "constant"
        ? []
        : [findBroadcastForm(input, matrixAxes)?.base ?? input];
    if (matmul !== undefined) {
      const { a, b, addend } = matmul;
      return [
        ...operandBase(a, 2),
        ...operandBase(b, 2),
        ...(addend ? operandBase(addend, 0) : []),
      ];
    }
    if (kind !== "binary" && kind !== "where") return node.inputs;
    return node.inputs.flatMap((input) => operandBase(input, 0));
  }

  run(): OnnxGraph {
    const { graph } = this;
    graph.inputs.forEach((node, i) => this.#names.set(node, `i${i}`));
    for (const node of this.#order) {
      if (this.#names.has(node)) continue;
      this.#names.set(node, this.#lower(node));
    }
    const values = (prefix: string, nodes: readonly Node[]) =>
      nodes.map(({ dtype, shape }, i) => ({ name: prefix + i, type: dtype, shape }));
    const nodes = this.#nameOutputs();
    return {
      name: graph.name,
      nodes,
      inputs: values("i", graph.inputs),
      outputs: values("o", graph.outputs.map(({ node }) => node)),
      initializers: this.#writer.initializers,
    };
  }

  /** The operators with their outputs renamed to `o0 o1 …`; values that cannot be renamed are copied. */
  #nameOutputs(): OnnxNode[] {
    const made = new Set(this.#writer.nodes.flatMap(({ outputs }) => outputs));
    const renamed = new Map<OnnxName, OnnxName>();
    const copies: OnnxNode[] = [];
    this.graph.outputs.forEach(({ node }, i) => {
      const value = this.#name(node);
      if (made.has(value) && !renamed.has(value)) renamed.set(value, `o${i}`);
      else copies.push({ op: "Identity", inputs: [value], outputs: [`o${i}`] });
    });
    const rename = (names: readonly OnnxName[]) => names.map((name) => renamed.get(name) ?? name);
    return [...this.#writer.nodes, ...copies].map((node) => ({
      ...node,
      inputs: rename(node.inputs),
      outputs: rename(node.outputs),
    }));
  }

  #name(node: Node): OnnxName {
    const name = this.#names.get(node);
    if (name === undefined) throw new Error(`internal: node ${node.id} was not lowered`);
    return name;
  }

  /** An operand of a broadcasting operator: axes that a view repeats keep size 1. */
  #broadcastable(node: Node, matrixAxes = 0): OnnxName {
    const { operation, shape, dtype } = node;
    if (operation.kind === "constant") {
      const scalar = this.#writer.scalar(operation.value, dtype);
      return matrixAxes === 0 ? scalar : this.#expandTo(scalar, shape);
    }
    const form = findBroadcastForm(node, matrixAxes);
    if (form === null) return this.#name(node);
    return this.#writer.view(this.#name(form.base), form.base.shape, form.view, form.shape);
  }

  #lower(node: Node): OnnxName {
    const writer = this.#writer;
    const { operation, inputs, shape, dtype, composite } = node;
    if (composite !== undefined) return this.#lowerComposite(composite);
    const matmul = this.#matmuls.get(node);
    if (matmul !== undefined) return this.#lowerMatmul(matmul);
    const [x, y] = inputs;
    switch (operation.kind) {
      case "leaf":
        throw new Error(`internal: leaf ${operation.leaf} is not an input of ${this.graph.name}`);
      case "constant": {
        const scalar = writer.scalar(operation.value, dtype);
        return shape.length === 0
          ? scalar
          : writer.emit("Expand", [scalar, writer.integers(shape)]);
      }
      case "data":
        return writer.data(operation.data, dtype, shape);
      case "view": {
        const base = x as Node;
        return writer.view(this.#name(base), base.shape, operation.view, shape);
      }
      case "unary":
        return this.#lowerUnary(operation.name, x as Node);
      case "binary": {
        const operands = inputs.map((input) => this.#broadcastable(input));
        const value = this.#broadcast(writer.emit(BINARY[operation.name], operands), inputs, shape);
        return operation.name === "ne" ? writer.emit("Not", [value]) : value;
      }
      case "where": {
        const operands = inputs.map((input) => this.#broadcastable(input));
        return this.#broadcast(writer.emit("Where", operands), inputs, shape);
      }
      case "cast":
        return this.#lowerCast(x as Node, node);
      case "reduce":
        return this.#lowerReduce(node);
      case "matmul":
        throw new Error("internal: no pattern matched a matrix product");
      case "gather":
        return writer.emit("Gather", [this.#name(x as Node), this.#name(y as Node)], { axis: 0 });
      case "scatter-add":
        return this.#lowerScatter(null, node);
      case "pad": {
        const { paddings, value } = operation;
        const pads = [...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)];
        const operands = [
          this.#name(x as Node),
          writer.integers(pads),
          writer.scalar(value, dtype),
        ];
        return writer.emit("Pad", operands);
      }
      case "concat":
        return writer.emit("Concat", inputs.map((input) => this.#name(input)), {
          axis: operation.axis,
        });
      case "top": {
        const count = writer.integers([operation.count]);
        const [, wide = ""] = writer.emitMany("TopK", [this.#name(x as Node), count], 2, {});
        return writer.emit("Cast", [wide], { to: 6 });
      }
      case "dropout-mask":
        return emitDropoutMask(writer, this.#name(x as Node), { ...operation, shape });
    }
  }

  #lowerUnary(name: UnaryOperation, x: Node): OnnxName {
    const writer = this.#writer;
    const value = this.#name(x);
    if (name === "rsqrt") return writer.emit("Reciprocal", [writer.emit("Sqrt", [value])]);
    if (name === "round-bfloat16" || name === "round-float16") {
      const half = writer.emit("Cast", [value], { to: name === "round-bfloat16" ? 16 : 10 });
      return writer.emit("Cast", [half], { to: 1 });
    }
    return writer.emit(UNARY[name], [value]);
  }

  /** Broadcasts a result to its shape, which is necessary if all operands repeat along the same axis. */
  #broadcast(value: OnnxName, inputs: readonly Node[], shape: readonly number[]): OnnxName {
    const full = inputs.some((input) => {
      if (input.operation.kind === "constant") return shape.length === 0;
      if (input.operation.kind !== "view") return true;
      const axes = splitView(input.operation.view, shape);
      return axes === null ||
        axes.every((digits, axis) =>
          shape[axis] === 1 || digits.some(({ stride }) => stride !== 0)
        );
    });
    return full ? value : this.#expandTo(value, shape);
  }

  #expandTo(value: OnnxName, shape: readonly number[]): OnnxName {
    return this.#writer.emit("Expand", [value, this.#writer.integers(shape)]);
  }

  #lowerComposite({ op, inputs, attributes, output }: Composite): OnnxName {
    const operands = inputs.map((input) => this.#name(input));
    const key = `${op} ${operands} ${JSON.stringify(attributes)}`;
    let outputs = this.#composites.get(key);
    if (outputs === undefined) {
      const count = op === "LayerNormalization" ? 3 : 1;
      outputs = this.#writer.emitMany(op, operands, count, attributes);
      this.#composites.set(key, outputs);
    }
    return outputs[output] as OnnxName;
  }

  #lowerMatmul(matmul: Matmul): OnnxName {
    const writer = this.#writer;
    const { a, b, transposeA, transposeB, alpha, addend } = matmul;
    if (addend !== null && matmul.kind === "scatter") {
      return this.#lowerScatter(addend, matmul.node);
    }
    const operands = [this.#broadcastable(a, 2), this.#broadcastable(b, 2)];
    if (a.dtype !== "float32") { // FusedMatMul supports only floats
      const transposed = [transposeA, transposeB], rank = a.shape.length;
      const transpose = (x: OnnxName, i: number) =>
        transposed[i] ? writer.transposeMatrices(x, rank) : x;
      return writer.emit("MatMul", operands.map(transpose));
    }
    const transposes = { transA: Number(transposeA), transB: Number(transposeB) };
    if (matmul.kind === "gemm") {
      if (addend !== null) operands.push(this.#broadcastable(addend));
      return writer.emit("Gemm", operands, { ...transposes, alpha: { float: alpha } });
    }
    if (!transposeA && !transposeB && alpha === 1) return writer.emit("MatMul", operands);
    const attributes = { ...transposes, alpha: { float: alpha } };
    return writer.emit("FusedMatMul", operands, attributes, "com.microsoft");
  }

  /** Scatter-add onto `addend`, or onto zeros. */
  #lowerScatter(addend: Node | null, { inputs, shape }: Node): OnnxName {
    const writer = this.#writer;
    const [rows, indices] = inputs as [Node, Node];
    const start = addend !== null
      ? this.#name(addend)
      : writer.emit("Expand", [writer.scalar(0, rows.dtype), writer.integers(shape)]);
    const wide = writer.emit("Cast", [this.#name(indices)], { to: 7 });
    const tuples = writer.reshape(wide, indices.shape, [...indices.shape, 1]);
    return writer.emit("ScatterND", [start, tuples, this.#name(rows)], { reduction: "add" });
  }

  #lowerCast(x: Node, { dtype }: Node): OnnxName {
    const types = { float32: 1, int32: 6, bool: 9 } as const;
    return this.#writer.emit("Cast", [this.#name(x)], { to: types[dtype] });
  }

  #lowerReduce(node: Node): OnnxName {
    const writer = this.#writer;
    const { operation, inputs: [x], dtype } = node;
    if (operation.kind !== "reduce" || x === undefined) {
      throw new Error("internal: not a reduction");
    }
    const { name, axes } = operation;
    if (name === "argmax" || name === "argmin") {
      const wide = writer.emit(REDUCE[name], [this.#name(x)], { axis: axes[0] ?? 0, keepdims: 0 });
      return writer.emit("Cast", [wide], { to: 6 });
    }
    const axesName = writer.integers(axes);
    if (name === "any" || name === "all") {
      const integers = writer.emit("Cast", [this.#name(x)], { to: 6 });
      const reduced = writer.emit(REDUCE[name], [integers, axesName], { keepdims: 0 });
      return writer.emit("Cast", [reduced], { to: 9 });
    }
    const { operation: inner, inputs: [a, b] } = x;
    const square = inner.kind === "binary" && inner.name === "mul" && a === b && a !== undefined;
    if (name === "sum" && square && dtype === "float32" && sizeOf(x.shape) > 0 && !isConstant(a)) {
      return writer.emit("ReduceSumSquare", [this.#name(a), axesName], { keepdims: 0 });
    }
    return writer.emit(REDUCE[name], [this.#name(x), axesName], { keepdims: 0 });
  }
}
