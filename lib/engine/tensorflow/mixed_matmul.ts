/**
 * Mixed precision inside TensorFlow: float32 products are given operands that are rounded to a half type
 * and a result that is rounded back, all else stays float32. Half tensors never leave the binding, since
 * TensorFlow.js has no type for them.
 * @module
 */
import type { TFEOpAttr, TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import type { Precision } from "@/config.ts";

/** TensorFlow's numbers of the half types (`tensorflow/c/tf_datatype.h`). */
const HALF_TYPES = { "mixed-float16": 19, "mixed-bfloat16": 14 } as const;

/** The operation that all products of TensorFlow.js are. */
const PRODUCT = "BatchMatMulV2";

/** A binding whose products are in a precision that can be chosen anew at any time. */
export type MixedBinding = {
  readonly binding: TFJSBinding;
  setPrecision(precision: Precision): void;
};

/** Wraps a binding; `run` is given each call of the library, to time it. */
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
  // The binding's own properties can be neither written nor enumerated.
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

/** The product of float32 tensors in a half type, as float32. */
function multiply(
  binding: TFJSBinding,
  half: number,
  attributes: readonly TFEOpAttr[],
  inputs: readonly number[],
) {
  const { TF_FLOAT } = binding;
  const made: number[] = [];
  const keep = ([result]: ReturnType<TFJSBinding["executeOp"]>): number => {
    if (result === undefined) throw new TypeError("internal: an operation gave nothing");
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

/** Terms of the sums that {@link checkPrecision} does. */
const TERMS = 4096;

/**
 * Refuses a precision in which the library's products are not what training needs: sums of 4096 ones must
 * be 4096, which they are not where terms are added up in the half type itself.
 */
export function checkPrecision(binding: TFJSBinding, precision: Precision, device: string): void {
  if (precision === "float32") return;
  const side = 8; // a small matrix: products with vectors take other ways
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
    if (matmul === undefined) throw new TypeError("internal: an operation gave nothing");
    ids.push(matmul.id);
    const sums = binding.tensorDataSync(matmul.id);
    if (sums.every((sum) => sum === TERMS)) return;
    found = `${sums.find((sum) => sum !== TERMS)}`;
  } catch (error) {
    found = error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
  } finally {
    for (const id of ids) binding.deleteTensor(id);
  }
  throw new RangeError(
    `Cannot compute in ${precision} as TensorFlow's products on the ${device} must add up ${TERMS} ones ` +
      `to ${TERMS}: it gives ${found}; float32 is always there`,
  );
}
