/**
 * Functions that several kernels use, composed of primitives.
 * @module
 */
import type { Node } from "@/engine/ir.ts";
import type { Tape } from "@/engine/tape.ts";

/** A function of one operand, composed of primitives. */
export type Formula = (tape: Tape, x: Node) => Node;

/** The constant `value` in the type of `x`. */
export function like(tape: Tape, x: Node, value: number): Node {
  return tape.constant(value, [], x.dtype);
}

/** Mask of the elements that are NaN. */
export function isNaNs(tape: Tape, x: Node): Node {
  return tape.binary("ne", x, x);
}

/** x² as a multiplication, which gradients and sums of squares recognize. */
export function square(tape: Tape, x: Node): Node {
  return tape.binary("mul", x, x);
}

/** 1 / (1 + e⁻ˣ) */
export function sigmoid(tape: Tape, x: Node): Node {
  const one = tape.constant(1);
  return tape.unary("reciprocal", tape.binary("add", tape.unary("exp", tape.unary("neg", x)), one));
}

/** max(x, 0) */
export function relu(tape: Tape, x: Node): Node {
  return tape.binary("max", x, like(tape, x, 0));
}

/** min(max(x, 0), 6) */
export function relu6(tape: Tape, x: Node): Node {
  return tape.binary("min", relu(tape, x), like(tape, x, 6));
}

/** x from 0 on, eˣ − 1 below. */
export function elu(tape: Tape, x: Node): Node {
  const below = tape.binary("sub", tape.unary("exp", x), like(tape, x, 1));
  return tape.where(tape.binary("ge", x, like(tape, x, 0)), x, below);
}

/** x from 0 on, slope · x below. */
export function leakyRelu(tape: Tape, x: Node, slope: Node): Node {
  return tape.where(tape.binary("lt", x, like(tape, x, 0)), tape.binary("mul", slope, x), x);
}

/** eˣ − 1, accurate near 0 too: (u − 1) · x / ln u with u = eˣ (Kahan; HP-15C manual, appendix on accuracy). */
export function expm1(tape: Tape, x: Node): Node {
  const one = tape.constant(1);
  const u = tape.unary("exp", x);
  const less = tape.binary("sub", u, one);
  const scaled = tape.binary("mul", less, tape.binary("div", x, tape.unary("log", u)));
  // If u is 1, the quotient is 0 / 0. If u is 0 or infinite, u − 1 is exact.
  const far = tape.binary("gt", tape.unary("abs", x), tape.constant(16));
  return tape.where(tape.binary("eq", u, one), x, tape.where(far, less, scaled));
}

/** ln(1 + x), accurate near 0 too: x · ln u / (u − 1) with u = 1 + x (Kahan, as above). */
export function log1p(tape: Tape, x: Node): Node {
  const one = tape.constant(1);
  const u = tape.binary("add", x, one);
  const log = tape.unary("log", u);
  const scaled = tape.binary("mul", log, tape.binary("div", x, tape.binary("sub", u, one)));
  const far = tape.binary("gt", x, tape.constant(1e9));
  return tape.where(tape.binary("eq", u, one), x, tape.where(far, log, scaled));
}

/** ln(1 + eˣ) */
export function softplus(tape: Tape, x: Node): Node {
  return tape.binary(
    "add",
    relu(tape, x),
    log1p(tape, tape.unary("exp", tape.unary("neg", tape.unary("abs", x)))),
  );
}

const SELU_SCALE = 1.0507009873554805, SELU_ALPHA = 1.6732632423543772; // arXiv:1706.02515, section 2

/** The self-normalizing activation SELU. */
export function selu(tape: Tape, x: Node): Node {
  const below = tape.binary(
    "mul",
    tape.binary("sub", tape.unary("exp", x), tape.constant(1)),
    tape.constant(SELU_SCALE * SELU_ALPHA),
  );
  const above = tape.binary("mul", x, tape.constant(SELU_SCALE));
  return tape.where(tape.binary("ge", x, tape.constant(0)), above, below);
}

/** 1 above 0, `slope` below and at 0, NaN for NaN. */
export function step(tape: Tape, x: Node, slope: number): Node {
  const hit = tape.where(
    tape.binary("gt", x, like(tape, x, 0)),
    tape.constant(1, x.shape, x.dtype),
    tape.constant(slope, x.shape, x.dtype),
  );
  return x.dtype === "float32" ? tape.where(isNaNs(tape, x), x, hit) : hit;
}

/** −1, 0 or 1; 0 for NaN. */
export function sign(tape: Tape, x: Node): Node {
  const signs = tape.unary("sign", x);
  if (x.dtype !== "float32") return signs;
  return tape.where(isNaNs(tape, x), tape.constant(0, x.shape), signs);
}

/** The greatest integer that is at most a / b, in the type of the operands. Integers divided by 0 give 0. */
export function floorDivide(tape: Tape, a: Node, b: Node): Node {
  if (a.dtype === "float32") return tape.unary("floor", tape.binary("div", a, b));
  const zero = like(tape, a, 0);
  const none = tape.binary("eq", b, zero);
  const divisor = tape.where(none, like(tape, b, 1), b);
  const quotient = tape.binary("div", a, divisor); // towards 0
  const rest = tape.binary("sub", a, tape.binary("mul", quotient, divisor));
  const uneven = tape.binary("ne", rest, zero);
  const mixed = tape.binary("ne", tape.binary("lt", rest, zero), tape.binary("lt", divisor, zero));
  const down = tape.cast(tape.binary("and", uneven, mixed), "int32");
  return tape.where(none, zero, tape.binary("sub", quotient, down));
}

/** a − b · ⌊a / b⌋: the remainder with the sign of b. For integers and b = 0 it is 0. */
export function modulo(tape: Tape, a: Node, b: Node): Node {
  const rest = tape.binary("sub", a, tape.binary("mul", b, floorDivide(tape, a, b)));
  if (a.dtype === "float32") return rest;
  const zero = like(tape, a, 0);
  return tape.where(tape.binary("eq", b, zero), zero, rest);
}
