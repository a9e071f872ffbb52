/** The generated kernels of programs: names, comments and texts. @module */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { makeGraph } from "@/engine/graph.ts";
import {
  describeUses,
  listKernels,
  printSource,
  type ProgramKernel,
} from "@/engine/native/codegen/kernel_texts.ts";
import { compileGraph } from "@/engine/native/compile_graph.ts";
import { gelu, layerNorm } from "@/engine/neural.ts";
import { inRegion } from "@/engine/tape.ts";
import { recordNodes } from "../record_nodes.ts";

await openEngine({ executor: "onnx" });

/** Softmax of rows of 384 columns: maximum, sum of exponentials, quotients. */
const SOFTMAX = `
void softmax(char *const *P, const int64_t *N, long r0, long r1, char *T) {
  const long C = 384L;
  const long CP = (C + 15) / 16 * 16;

  float *exp_2_row = (float *)(T + 64 + 0 * CP * 4);

  for (long r = r0; r < r1; r++) {
    float *x0_row = (float *)P[0] + r * C;
    float *div_4_out = (float *)P[1] + r * C;

    V row_max_0_parts[4];
    for (int u = 0; u < 4; u++) row_max_0_parts[u] = S(-__builtin_inff());
    {
      long c = 0;
      while (c + 4 * LANES <= C) {
        _Pragma("GCC unroll 4")
        for (int u = 0; u < 4; u++, c += LANES) {
          const V x0 = ld(x0_row + c);
          row_max_0_parts[u] = v_max(row_max_0_parts[u], x0);
        }
      }
      for (; c + LANES <= C; c += LANES) {
        const V x0 = ld(x0_row + c);
        row_max_0_parts[0] = v_max(row_max_0_parts[0], x0);
      }
      if (c < C) {
        const B m = tail(C - c);
        const V x0 = ldm(m, x0_row + c);
        row_max_0_parts[0] = v_max(row_max_0_parts[0], sel(m, x0, S(-__builtin_inff())));
      }
    }
    const V row_max_0 = S(hmax(v_max(v_max(v_max(row_max_0_parts[0], row_max_0_parts[1]),
        row_max_0_parts[2]), row_max_0_parts[3])));

    V row_sum_3_parts[4];
    for (int u = 0; u < 4; u++) row_sum_3_parts[u] = S(0.f);
    {
      long c = 0;
      while (c + 4 * LANES <= C) {
        _Pragma("GCC unroll 4")
        for (int u = 0; u < 4; u++, c += LANES) {
          const V x0 = ld(x0_row + c);
          const V sub_1 = x0 - row_max_0;
          const V exp_2 = v_exp(sub_1);
          row_sum_3_parts[u] = row_sum_3_parts[u] + exp_2;
          st(exp_2_row + c, exp_2);
        }
      }
      for (; c + LANES <= C; c += LANES) {
        const V x0 = ld(x0_row + c);
        const V sub_1 = x0 - row_max_0;
        const V exp_2 = v_exp(sub_1);
        row_sum_3_parts[0] = row_sum_3_parts[0] + exp_2;
        st(exp_2_row + c, exp_2);
      }
      if (c < C) {
        const B m = tail(C - c);
        const V x0 = ldm(m, x0_row + c);
        const V sub_1 = x0 - row_max_0;
        const V exp_2 = v_exp(sub_1);
        row_sum_3_parts[0] = row_sum_3_parts[0] + sel(m, exp_2, S(0.f));
        stm(m, exp_2_row + c, exp_2);
      }
    }
    const V row_sum_3 = S(hsum(row_sum_3_parts[0] + row_sum_3_parts[1] + row_sum_3_parts[2]
        + row_sum_3_parts[3]));

    {
      long c = 0;
      for (; c + LANES <= C; c += LANES) {
        const V exp_2 = ld(exp_2_row + c);
        const V div_4 = exp_2 / row_sum_3;
        st(div_4_out + c, div_4);
      }
      if (c < C) {
        const B m = tail(C - c);
        const V exp_2 = ldm(m, exp_2_row + c);
        const V div_4 = exp_2 / row_sum_3;
        stm(m, div_4_out + c, div_4);
      }
    }
  }
}`;

/** The kernels of a function of float32 tensors; `modelSizes` are printed as literals. */
function kernelsOf(
  shapes: readonly (readonly number[])[],
  run: (inputs: tf.Tensor[]) => tf.Tensor[],
  modelSizes: readonly number[] = [],
): readonly ProgramKernel[] {
  const { leaves, results } = recordNodes(shapes, run);
  const outputs = results.map((node) => ({ node, target: null }));
  const graph = makeGraph("test", leaves, outputs, { modelSizes: new Set(modelSizes) });
  return listKernels(compileGraph(graph, 2).code);
}

/** The comment of the only kernel, without its marks, and the start of its name. */
function headOf([kernel, ...others]: readonly ProgramKernel[]) {
  deepStrictEqual(others, []);
  ok(kernel !== undefined);
  const [, comment = ""] = /^\/\*\n([^]*?)\n \*\/\n/.exec(kernel.text) ?? [];
  match(kernel.text, new RegExp(`\\*/\\nvoid ${kernel.name}\\(`));
  return {
    name: kernel.name.replace(/_[0-9a-f]{10}$/, ""),
    comment: comment.split("\n").map((line) => line.replace(/^ \* ?/, "")),
  };
}

const softmax = ([x]: tf.Tensor[]) => [tf.softmax(x!)];

Deno.test("a kernel is listed with its operations, and with the instructions and nodes it serves", () => {
  const kernels = kernelsOf(
    [[64, 32], [32, 32]],
    ([x, w]) => [tf.softmax(tf.matMul(tf.softmax(x!), w!))],
  );
  deepStrictEqual(kernels.map(({ operations, values }) => ({ operations, values })), [{
    operations: ["row max", "sub", "exp", "row sum", "div"],
    values: ["row_max_0", "sub_1", "exp_2", "row_sum_3", "div_4"],
  }]);
  const [kernel] = kernels as [ProgramKernel];
  deepStrictEqual(kernel.uses.map(({ instruction, nodes }) => [instruction, nodes.length]), [
    [0, 5],
    [1, 5],
  ]);
  const [first, second] = kernel.uses.map(({ nodes }) => nodes.map(({ id }) => id));
  const ids = (nodes: readonly number[] = []) =>
    nodes.map((id, i) => `${kernel.values[i]} is node ${id}`).join(", ");
  strictEqual(
    describeUses("test", kernel).replaceAll(/\n \* (?!instruction|$)/gm, " "),
    `/* ${kernel.name} in test\n *\n * instruction 0: ${ids(first)}\n` +
      ` * instruction 1: ${ids(second)}\n */`,
  );
});

Deno.test("a kernel is named for what it computes, and its comment says on what", () => {
  deepStrictEqual(headOf(kernelsOf([[64, 384]], softmax, [384])), {
    name: "softmax",
    comment: [
      "softmax, over R rows of C = 384 columns",
      "",
      "Operations: row max, sub, exp, row sum, div",
      "P[0] float32: x0 [R, C]",
      "P[1] float32: div_4_out [R, C]",
    ],
  });
  const backward = ([x, g]: tf.Tensor[]) => [
    tf.grad((x) => tf.sum(tf.mul(tf.softmax(x), g!)))(x!),
  ];
  deepStrictEqual(headOf(kernelsOf([[64, 48], [64, 48]], backward)), {
    name: "softmax_backward",
    comment: [
      "softmax_backward, over R rows of C columns",
      "",
      "Operations: row max, sub, exp, row sum, div, mul, row sum, mul, sub",
      "P[0] float32: x0 [R, C]",
      "P[1] float32: x1 [R, C]",
      "P[2] float32: sub_8_out [R, C]",
    ],
  });
  const normalize = ([x, w, r, g, b]: tf.Tensor[]) => [
    layerNorm(
      tf.add(tf.matMul(x!, w!), r!) as tf.Tensor2D,
      g as tf.Tensor1D,
      b as tf.Tensor1D,
      1e-12,
    ),
  ];
  // the epilogue of the matrix product x0
  deepStrictEqual(headOf(kernelsOf([[64, 32], [32, 32], [64, 32], [32], [32]], normalize)), {
    name: "add_layer_norm",
    comment: [
      "add_layer_norm, over R rows of C columns",
      "",
      "Operations: add, row sum, mul, sub, mul, row sum, mul, add, rsqrt, mul, mul, add",
      "P[0] float32: x0 [R, C]",
      "P[1] float32: x1 [R, C]",
      "P[2] float32: x2 [C]",
      "P[3] float32: x3 [C]",
      "P[4] float32: add_11_out [R, C]",
    ],
  });
  const called = ([x]: tf.Tensor[]) => [inRegion("2-D pool", () => tf.exp(x!))];
  strictEqual(headOf(kernelsOf([[64, 48]], called)).name, "kernel_2_d_pool");
  const activate = ([x, b]: tf.Tensor[]) => [gelu(tf.add(x!, b!))];
  strictEqual(headOf(kernelsOf([[64, 32], [32]], activate)).name, "bias_gelu");
});

Deno.test("generated C has one statement on a line, blank lines between parts, and short lines", () => {
  const [kernel] = kernelsOf([[64, 384]], softmax, [384]) as [ProgramKernel];
  const [, body] = kernel.text.split(" */");
  strictEqual(body?.replace(kernel.name, "softmax"), SOFTMAX);
});

Deno.test("kernels do not depend on shapes of a batch, node numbers or the program", () => {
  const shapes = [[64, 384], [5, 3, 384], [7, 384]];
  const functions = [
    softmax,
    ([x]: tf.Tensor[]) => [tf.softmax(tf.concat([x!, tf.mul(x!, 2)]))], // at other nodes
  ];
  const texts = shapes.flatMap((shape) =>
    functions.flatMap((run) => kernelsOf([shape], run, [384]))
  );
  const named = texts.filter(({ name }) => name.startsWith("softmax_"));
  strictEqual(named.length, shapes.length * functions.length);
  strictEqual(new Set(named.map(({ name }) => name)).size, 1);
  strictEqual(new Set(named.map(({ text }) => text)).size, 1);
});

Deno.test("printSource() prints the helpers once and then each kernel", () => {
  const kernels = kernelsOf([[64, 384]], softmax);
  const source = printSource([...kernels, ...kernels]);
  strictEqual(source.split('#include "vectors/vec.h"').length, 2);
  ok(source.endsWith(`}\n\n${kernels[0]?.text}\n\n${kernels[0]?.text}\n`));
});
