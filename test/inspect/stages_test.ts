import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { formatInspection, formatStages } from "@/engine/inspect/format_text.ts";
import {
  type InspectableFunction,
  type Inspection,
  onProgram,
} from "@/engine/inspect/inspection.ts";
import { jit } from "@/engine/jit.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { inspectBuiltIn } from "@/inspect/functions.ts";

const ignore = findCompiler() === null;

async function inspect(...[name]: Parameters<typeof inspectBuiltIn>): Promise<Inspection> {
  await openEngine({ executor: "native", threads: 2 });
  const [first] = await inspectBuiltIn(name);
  ok(first !== undefined);
  return first;
}

const listed = ({ graphs }: Inspection, name: string) => {
  const graph = graphs.find((each) => each.name === name);
  ok(graph !== undefined, name);
  return graph.nodes.map(({ id, operation, operands }) =>
    [`%${id}`, operation, ...operands.map(({ node }) => `%${node}`)].join(" ")
  );
};

Deno.test({
  name: "softmax has the stages that its definition gives",
  ignore,
  async fn(t) {
    const softmax = await inspect("softmax"); // x [64, 128]

    await t.step(
      "tracing records x − max, exp, sum, division, and two reshapes that nothing reads",
      () => {
        deepStrictEqual(listed(softmax, "traced"), [
          ...["%0 input", "%1 max %0", "%2 reshape %1", "%3 broadcast %1", "%4 sub %0 %3"],
          ...["%5 exp %4", "%6 sum %5", "%7 reshape %6", "%8 broadcast %6", "%9 div %5 %8"],
        ]);
      },
    );
    await t.step("dead code is dropped: nodes 2 and 7", () => {
      deepStrictEqual(listed(softmax, "dead-code").map((line) => line.split(" ")[0]), [
        ...["%0", "%1", "%3", "%4", "%5", "%6", "%8", "%9"],
      ]);
    });
    await t.step("in float32 autocast changes nothing", () => {
      const text = formatStages(softmax).find(({ name }) => name === "autocast");
      deepStrictEqual(text?.lines, ["unchanged: 1 input, 7 operations"]);
    });
    await t.step("preparing numbers the nodes anew and tells where each came from", () => {
      const prepared = softmax.graphs.find(({ name }) => name === "prepare");
      deepStrictEqual(prepared?.nodes.map(({ id, from }) => [id, from]), [
        ...[[0, 0], [1, 1], [2, 3], [3, 4], [4, 5], [5, 6], [6, 8], [7, 9]],
      ]);
    });
    await t.step(
      "lowering leaves the five operations that compute, which read through broadcasts",
      () => {
        const lowered = softmax.graphs.find(({ name }) => name === "lower");
        deepStrictEqual(lowered?.nodes.map(({ operation }) => operation), [
          ...["max", "sub", "exp", "sum", "div"],
        ]);
        deepStrictEqual(lowered.nodes.at(-1)?.operands, [
          { node: 4, view: "", constant: null },
          { node: 5, view: "broadcast strides [1, 0]", constant: null },
        ]);
      },
    );
    await t.step("they are one group of three loops over each row", () => {
      const [group, ...others] = softmax.groups;
      deepStrictEqual(others, []);
      deepStrictEqual(group?.loops, { rows: 64, columns: 128, flat: false });
      strictEqual(group.phases, 3);
      deepStrictEqual(group.nodes.map(({ operation, role, loop }) => [operation, role, loop]), [
        ...[["max", "row", 1], ["sub", "full", 2], ["exp", "full", 2], ["sum", "row", 2]],
        ["div", "full", 3],
      ]);
      deepStrictEqual(group.nodes.map(({ value }) => value), [
        ...["row_max_0", "sub_1", "exp_2", "row_sum_3", "div_4"],
      ]);
      for (const { value } of group.nodes) {
        ok(softmax.kernels[0]?.text.includes(`const V ${value} = `), `${value} is in the C`);
      }
      deepStrictEqual([group.reads, group.writes], [[0], [7]]);
      // x is read and y written: 2 · 64 · 128 float32 numbers
      deepStrictEqual([group.flops, group.bytes], [0, 2 * 64 * 128 * 4]);
      ok(group.seconds > 0 && softmax.runs > 0, "it was run");
    });
    await t.step("one instruction calls the one C function on the rows of x and y", () => {
      const [kernel] = softmax.kernels;
      strictEqual(kernel?.text.includes(`void ${kernel.name}(`), true);
      deepStrictEqual(softmax.instructions, [{
        ...{
          opcode: "kernel",
          groups: [0],
          barrier: false,
          kernel: kernel?.name,
          rows: 64,
          cut: 1,
        },
        pointers: [{ memory: "x", offset: 0 }, { memory: "y", offset: 0 }],
        numbers: ["128"],
      }]);
    });
    await t.step("it needs no arena, and a row of exponentials for each thread", () => {
      const { arenaBytes, scratchBytes, blocks } = softmax.memory ?? {};
      deepStrictEqual({ arenaBytes, blocks }, { arenaBytes: 0, blocks: [] });
      strictEqual(scratchBytes, 64 + 128 * 4); // after a head of 64 bytes
    });
  },
});

Deno.test({
  name: "an epilogue belongs to its matrix product's instruction, and the product absorbs its bias",
  ignore,
  async fn() {
    const { groups, instructions, memory } = await inspect("matmul_bias"); // 64 × 128 · 128 × 128
    deepStrictEqual(groups.map(({ kind, epilogueOf }) => [kind, epilogueOf]), [
      ["matrix product", null],
      ["loop nest", 0],
    ]);
    deepStrictEqual(groups.map(({ nodes }) => nodes.map(({ operation }) => operation)), [
      ["matmul", "add"],
      ["max"],
    ]);
    deepStrictEqual(groups.map(({ instructions }) => instructions), [[0], [0]]);
    strictEqual(groups[0]?.flops, 2 * 64 * 128 * 128);
    deepStrictEqual(instructions.map(({ opcode, groups }) => [opcode, groups]), [["matmul", [
      0,
      1,
    ]]]);
    // the product's result, which the epilogue overwrites row by row
    deepStrictEqual(
      memory?.blocks.map(({ nodes, bytes, first, last }) => [nodes, bytes, first, last]),
      [
        [[5], 64 * 128 * 4, 0, 0],
      ],
    );
  },
});

Deno.test({
  name: "column sums are combined by an instruction of their group",
  ignore,
  async fn() {
    const { groups, instructions } = await inspect("layer_norm_gradient");
    const combining = instructions.filter(({ opcode }) => opcode === "combine");
    strictEqual(combining.length, 2, "of gain and bias");
    for (const { groups: [group] } of combining) {
      strictEqual(groups[group ?? -1]?.nodes.some(({ role }) => role === "column"), true);
    }
    ok(instructions.some(({ barrier }) => barrier), "they wait for all partial sums");
  },
});

Deno.test({
  name: "a dynamic function shows its sizes by name, and memory at the sizes of the call",
  ignore,
  async fn() {
    const encode = await inspect("encode");
    deepStrictEqual(encode.sizes?.called, { B: 16, T: 32 });
    const text = formatInspection(encode, "groups");
    ok(text.includes("group 0: loop nest over B·T elements"), text);
    ok(text.includes("float32 [B, 4, T, T]"), text);
    const { T = 0 } = encode.sizes?.traced ?? {};
    ok(!new RegExp(`[[ ]${T}[,\\]]`).test(text), "no shape shows the size at which it was traced");
    const scores = encode.memory?.blocks.find(({ bytes }) => bytes === 16 * 4 * 32 * 32 * 4);
    ok(scores !== undefined, "attention scores [B, 4, T, T] in float32");
  },
});

Deno.test({
  name: "mixed precision shows the roundings, and which of them a matrix product absorbs",
  ignore,
  async fn() {
    await openEngine({ executor: "native", threads: 2, precision: "mixed-bfloat16" });
    const [product] = await inspectBuiltIn("matmul_bias");
    await openEngine({ executor: "native", threads: 2 });
    ok(product !== undefined);
    const roundings = listed(product, "autocast").filter((line) => line.includes("round-bfloat16"));
    strictEqual(roundings.length, 3, "of both factors and of the sum");
    ok(
      formatInspection(product, "lower").includes("plus a bias, in bfloat16, rounded to bfloat16"),
    );
  },
});

Deno.test("ONNX Runtime's operators are a stage of programs that it runs", async () => {
  await openEngine({ executor: "onnx", threads: 2 });
  const [gelu] = await inspectBuiltIn("gelu");
  deepStrictEqual(gelu?.operators, ["o0 = Gelu(i0)"]);
  deepStrictEqual([gelu.groups, gelu.memory], [[], null]);
});

Deno.test({
  name: "nothing is kept for inspection unless somebody listens",
  ignore,
  async fn() {
    await openEngine({ executor: "native", threads: 2 });
    const x = tf.ones([2, 3]);
    const told: InspectableFunction[] = [];
    const run = async (name: string) => {
      const program = jit(name, ({ x }: { x: tf.Tensor }) => ({ y: tf.softmax(x) }));
      tf.dispose(await program({ x }));
      return program;
    };
    (await run("before")).release();
    const stop = onProgram((program) => told.push(program));
    (await run("listened")).release();
    stop();
    (await run("after")).release();
    deepStrictEqual(told.map(({ name }) => name), ["listened"]);
    strictEqual(told[0]?.inspect().runs, 1, "also after its release");
    x.dispose();
  },
});
