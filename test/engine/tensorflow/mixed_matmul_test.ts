/** Mixed precision with a fake binding that only records its calls. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { TFEOpAttr, TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { checkPrecision, mixMatmuls } from "@/engine/tensorflow/mixed_matmul.ts";

const TF_FLOAT = 1, TF_INT32 = 3, TF_BFLOAT16 = 14, TF_HALF = 19;

/** A fake binding whose sums are `sum`; `calls` records its operations, `alive` its tensors. */
function stubBinding(sum = 4096) {
  const calls: string[] = [], alive = new Set<number>();
  let last = 0;
  const make = () => {
    alive.add(++last);
    return last;
  };
  const stub: Pick<
    TFJSBinding,
    "TF_FLOAT" | "createTensor" | "deleteTensor" | "executeOp" | "tensorDataSync"
  > = {
    TF_FLOAT,
    createTensor: make,
    deleteTensor: (id) => void alive.delete(id),
    executeOp(name, attributes, inputs) {
      const types = attributes.map(({ value }) => value).filter((value) =>
        typeof value === "number"
      );
      const id = make();
      calls.push(`${name} ${types} of ${inputs} gives ${id}`);
      return [{ id, shape: [], dtype: TF_FLOAT }];
    },
    tensorDataSync: () => new Float32Array(64).fill(sum),
  };
  return { binding: stub as TFJSBinding, calls, alive };
}

const typed = (value: number): TFEOpAttr[] => [{ name: "T", type: 6, value }];

Deno.test("mixMatmuls() rounds only operands and results of float32 matrix products", () => {
  const { binding, calls, alive } = stubBinding();
  const mixed = mixMatmuls(binding);
  const ids = [binding.createTensor([], 1, []), binding.createTensor([], 1, [])];
  const run = (name: string, type: number) => {
    calls.length = 0;
    const [result] = mixed.binding.executeOp(name, typed(type), ids, 1);
    return result?.id;
  };
  run("BatchMatMulV2", TF_FLOAT);
  deepStrictEqual(calls, ["BatchMatMulV2 1 of 1,2 gives 3"]); // float32 by default
  mixed.setPrecision("mixed-bfloat16");
  const before = new Set(alive);
  const result = run("BatchMatMulV2", TF_FLOAT);
  deepStrictEqual(calls, [
    `Cast 1,${TF_BFLOAT16} of 1 gives 4`,
    `Cast 1,${TF_BFLOAT16} of 2 gives 5`,
    `BatchMatMulV2 ${TF_BFLOAT16} of 4,5 gives 6`,
    `Cast ${TF_BFLOAT16},1 of 6 gives 7`,
  ]);
  deepStrictEqual([...alive].filter((id) => !before.has(id)), [result]); // no half tensor remains
  run("BatchMatMulV2", TF_INT32);
  strictEqual(calls.length, 1);
  run("Softmax", TF_FLOAT);
  strictEqual(calls.length, 1);
  mixed.setPrecision("mixed-float16");
  run("BatchMatMulV2", TF_FLOAT);
  strictEqual(calls[0], `Cast 1,${TF_HALF} of 1 gives 10`);
  mixed.setPrecision("float32");
  run("BatchMatMulV2", TF_FLOAT);
  strictEqual(calls.length, 1);
});

Deno.test("checkPrecision() rejects a half type in which the library accumulates", () => {
  checkPrecision(stubBinding(2048).binding, "float32", "CPU"); // not checked
  const right = stubBinding(4096);
  checkPrecision(right.binding, "mixed-float16", "CPU");
  strictEqual(right.alive.size, 0);
  const wrong = stubBinding(2048);
  throws(() => checkPrecision(wrong.binding, "mixed-float16", "CPU"), {
    name: "RangeError",
    message:
      "Cannot compute in mixed-float16: TensorFlow's matrix products on the CPU must sum 4096 " +
      "ones to 4096, but the result is 2048; use float32 instead",
  });
  strictEqual(wrong.alive.size, 0);
});

Deno.test("checkPrecision() rejects a half type without matrix products in the library", () => {
  const { binding } = stubBinding();
  const without: TFJSBinding = Object.create(binding, {
    executeOp: {
      value: () => {
        throw new Error("Invalid TF_Status: 5\nMessage: Could not find device for node");
      },
    },
  });
  throws(() => checkPrecision(without, "mixed-bfloat16", "GPU"), {
    message:
      "Cannot compute in mixed-bfloat16: TensorFlow's matrix products on the GPU must sum 4096 " +
      "ones to 4096, but the result is Invalid TF_Status: 5 Message: Could not find device for node; use " +
      "float32 instead",
  });
});
