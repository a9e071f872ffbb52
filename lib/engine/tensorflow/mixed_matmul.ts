/**
 * Mixed precision in TensorFlow: the operands of float32 matrix products are rounded to a half type and the result is
 * converted back. Everything else stays float32. Half tensors never leave the binding, since TensorFlow.js has no
 * type for them.
 * @module
 */
import type { TFEOpAttr, TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import type { Precision } from "@/engine/options.ts";
import { RefusalError } from "@/engine/errors.ts";

/** TensorFlow's codes of the half types (`tensorflow/c/tf_datatype.h`). */
const HALF_TYPES = { "mixed-float16": 19, "mixed-bfloat16": 14 } as const;

/** The operation that TensorFlow.js uses for all matrix products. */
const PRODUCT = "BatchMatMulV2";

/** A binding whose precision of matrix products can be changed at any time. */
export type MixedBinding = {
  readonly binding: TFJSBinding;
  setPrecision(precision: Precision): void;
};

/** Wraps a binding. Calls of the library go through `run`, which may time them. */
export function mixMatmuls(
  binding: TFJSBinding,
  run: <T>(call: () => T) => T = (call) => call(),
): MixedBinding {
  let half: number | null = null;
  const executeOp: TFJSBinding["executeOp"] = (name, attributes, inputs, outputs) =>
    run(() => {
      if (half === null || name !== PRODUCT || !isFloat32(binding, attributes)) {
        return binding.executeOp(name, attributes, inputs, outputs);
      }
      return multiply(binding, half, attributes, inputs);
    });
  // The binding's own properties are neither writable nor enumerable.
  const mixed: TFJSBinding = Object.create(binding, {
    executeOp: { value: executeOp },
    tensorDataSync: { value: (id: number) => run(() => binding.tensorDataSync(id)) },
  });
  return {
    binding: mixed,
    setPrecision(precision) {
      half = precision === "float32" ? null : HALF_TYPES[precision];
    },
  };
}

function isFloat32({ TF_FLOAT }: TFJSBinding, attributes: readonly TFEOpAttr[]): boolean {
  return attributes.some(({ name, value }) => name === "T" && value === TF_FLOAT);
}

function cast(binding: TFJSBinding, id: number, from: number, to: number) {
  const { TF_ATTR_TYPE, TF_ATTR_BOOL } = binding;
  return binding.executeOp(
    "Cast",
    [
      { name: "SrcT", type: TF_ATTR_TYPE, value: from },
      { name: "DstT", type: TF_ATTR_TYPE, value: to },
      { name: "Truncate", type: TF_ATTR_BOOL, value: false },
    ],
    [id],
    1,
  );
}

/** Multiplies float32 tensors in a half type and converts the result to float32. */
function multiply(
  binding: TFJSBinding,
  half: number,
  attributes: readonly TFEOpAttr[],
  inputs: readonly number[],
) {
  const { TF_FLOAT } = binding;
  const made: number[] = [];
  const keep = ([result]: ReturnType<TFJSBinding["executeOp"]>): number => {
    if (result === undefined) throw new TypeError("internal: an operation returned no tensor");
    made.push(result.id);
    return result.id;
  };
  try {
    const halves = inputs.map((id) => keep(cast(binding, id, TF_FLOAT, half)));
    const typed = attributes.map((each) => each.name === "T" ? { ...each, value: half } : each);
    const matmul = keep(binding.executeOp(PRODUCT, typed, halves, 1));
    return cast(binding, matmul, half, TF_FLOAT);
  } finally {
    for (const id of made) binding.deleteTensor(id);
  }
}

/** Number of terms of the sums in {@link checkPrecision}. */
const TERMS = 4096;

/**
 * Throws if the library's products in a precision are unsuitable for training: sums of 4096 ones must be 4096. They
 * are not if the library accumulates in the half type itself.
 */
export function checkPrecision(binding: TFJSBinding, precision: Precision, device: string): void {
  if (precision === "float32") return;
  const side = 8; // a matrix, since products with vectors use other code
  const mixed = mixMatmuls(binding);
  mixed.setPrecision(precision);
  const { TF_FLOAT, TF_ATTR_TYPE, TF_ATTR_BOOL } = binding;
  const ids = [[side, TERMS], [TERMS, side]].map((shape) =>
    binding.createTensor(shape, TF_FLOAT, new Float32Array(side * TERMS).fill(1))
  );
  let found: string;
  try {
    const [matmul] = mixed.binding.executeOp(
      PRODUCT,
      [
        { name: "T", type: TF_ATTR_TYPE, value: TF_FLOAT },
        { name: "adj_x", type: TF_ATTR_BOOL, value: false },
        { name: "adj_y", type: TF_ATTR_BOOL, value: false },
      ],
      ids,
      1,
    );
    if (matmul === undefined) throw new TypeError("internal: an operation returned no tensor");
    ids.push(matmul.id);
    const sums = binding.tensorDataSync(matmul.id);
    if (sums.every((sum) => sum === TERMS)) return;
    found = `${sums.find((sum) => sum !== TERMS)}`;
  } catch (error) {
    if (!(error instanceof Error) || error.constructor !== Error) throw error; // the library throws plain errors
    found = error.message.replace(/\s+/g, " ");
  } finally {
    for (const id of ids) binding.deleteTensor(id);
  }
  throw new RefusalError(
    `Cannot compute in ${precision}: TensorFlow's matrix products on the ${device} must sum ${TERMS} ones ` +
      `to ${TERMS}, but the result is ${found}; use float32 instead`,
  );
}
