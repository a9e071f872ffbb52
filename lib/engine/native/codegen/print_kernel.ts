/**
 * Prints a loop nest as one C function of the operations in `vec.h`.
 *
 *     void name(char *const *P, const int64_t *N, long r0, long r1, char *T)
 *
 * P are pointers, N numbers, [r0, r1) the rows of one chunk, T the scratch memory of the calling thread: a
 * `Scratch` of `abi.h`, and data after it. Registers hold float32 for all storage types, with
 * booleans as 0 and 1, except for int32.
 * @module
 */
import { lookUp } from "@/engine/errors.ts";
import type { LoopNest } from "../../fusion/nest.ts";
import { isFusedReduction } from "../../fusion/space.ts";
import type { Node } from "../../ir.ts";
import { DropoutPrinter } from "./c_dropout.ts";
import { printOperation } from "./c_operations.ts";
import { block, paragraphs } from "./c_layout.ts";
import type { KernelDraft } from "./kernel_texts.ts";
import { nameKernel, nameOperation, nameValues } from "./name_kernel.ts";
import { combineParts, foldLanes, startReduction } from "./c_reductions.ts";
import type { Access, Buffer, BufferTable, ScratchRows } from "../lowering/instruction.ts";
import { SIZES } from "../abi.ts";
import { C_TYPES, KernelOperands, ROW } from "../lowering/kernel_operands.ts";

const STORES = { float32: "st", bfloat16: "stb", int32: "stw", bool: "stq" } as const;

/** A printed kernel with the operands of its instruction. */
export type PrintedKernel = {
  readonly draft: KernelDraft;
  readonly pointers: readonly Buffer[];
  readonly numbers: readonly (number | bigint)[];
  readonly reads: readonly Buffer[];
  readonly writes: readonly Buffer[];
  readonly access: ReadonlyMap<Buffer, Access>;
  readonly stores: ReadonlyMap<Buffer, number>;
  /** Column sums: the node, and the buffer of partial sums. */
  readonly columnSums: readonly { node: Node; partial: Buffer }[];
  readonly scratch: ScratchRows;
};

/** Prints a loop nest; `parts` is the number of partial results of each column sum. */
export function printKernel(nest: LoopNest, buffers: BufferTable, parts: number): PrintedKernel {
  return new KernelPrinter(nest, buffers, parts).print();
}

/** The name of the partial results of a row reduction. */
const accumulators = (value: string) => `${value}_parts`;

class KernelPrinter {
  #operands: KernelOperands;
  #writes = new Set<Buffer>();
  #stores = new Map<Buffer, number>();
  #names: ReadonlyMap<Node, string>;
  #slots = new Map<Node, number>();
  #columnSums: { node: Node; partial: Buffer }[] = [];
  #dropout: DropoutPrinter;

  constructor(readonly nest: LoopNest, readonly buffers: BufferTable, readonly parts: number) {
    this.#operands = new KernelOperands(nest, buffers);
    this.#names = nameValues(nest);
    for (const node of nest.nodes) {
      if (nest.roleOf(node) === "full" && nest.isKept(node)) {
        this.#slots.set(node, this.#slots.size);
      }
    }
    const scratch = (row: number) => this.#scratch(this.#slots.size + row);
    this.#dropout = new DropoutPrinter(this.#operands.numbers, scratch);
  }

  print(): PrintedKernel {
    const { flat, space: { columns }, phases } = this.nest;
    const operands = this.#operands;
    const loops = Array.from({ length: phases }, (_, phase) => this.#printPhase(phase));
    const sums = this.#printColumnSumStart();
    const slots = [...this.#slots].map(([node, slot]) =>
      `float *${this.#name(node)}${ROW} = (float *)${this.#scratch(slot)};`
    );
    const size = operands.numbers.size(columns);
    const scratchRows = this.#slots.size + this.#dropout.count;
    const sizes = flat ? [] : [
      `const long C = ${size};`,
      ...scratchRows + this.#columnSums.length > 0
        ? [`const long CP = (C + ${SIZES.maxLanes - 1}) / ${SIZES.maxLanes} * ${SIZES.maxLanes};`]
        : [],
    ];
    // Without a later phase a chunk runs backward: the rows that were written last may still be in the cache.
    const rows = phases === 1
      ? "for (long r = r1 - 1; r >= r0; r--)"
      : "for (long r = r0; r < r1; r++)";
    const inner = paragraphs(operands.rowStart, ...loops);
    const before = paragraphs(sizes, operands.prologue, [...slots, ...sums]);
    const operations = this.nest.nodes.map((node) => nameOperation(node, this.nest));
    const title = nameKernel(this.nest);
    const extent = flat
      ? "n elements"
      : /^\d+L$/.test(size)
      ? `R rows of C = ${columns} columns`
      : "R rows of C columns";
    return {
      draft: {
        ...{ title, operations, values: [...this.#names.values()] },
        comment: [
          `${title}, over ${extent}`,
          "",
          `Operations: ${operations.join(", ")}`,
          ...operands.lines,
        ],
        body: paragraphs(before, flat ? inner : block(rows, inner)),
      },
      pointers: operands.pointers,
      numbers: operands.numbers.values,
      reads: [...operands.reads],
      writes: [...this.#writes],
      access: operands.access,
      stores: this.#stores,
      columnSums: this.#columnSums,
      scratch: { rows: scratchRows, columns },
    };
  }

  /** The address of a row of the thread's scratch memory. */
  #scratch(row: number): string {
    return `(T + ${SIZES.scratchHead} + ${row} * CP * 4)`;
  }

  #name(node: Node): string {
    return lookUp(this.#names, node, `the name of node ${node.id}`);
  }

  /** An operand as a vector at column c, or constant along the row. */
  #operand(input: Node, phase: number, masked: boolean, wholeRow: boolean): string {
    if (input.operation.kind === "constant") {
      return this.#operands.constant(input.operation.value, input.dtype);
    }
    const operand = this.nest.resolve(input);
    const role = this.nest.roleOf(operand.base);
    if (role === undefined) return this.#operands.fromMemory(operand, phase, masked, wholeRow);
    if (role === "row" || this.nest.phaseOf(operand.base) === phase) {
      return this.#name(operand.base);
    }
    return this.#operands.load(`${this.#name(operand.base)}${ROW}`, { call: "ld", masked });
  }

  #expression(node: Node, phase: number, masked: boolean): string {
    const { operation, inputs } = node;
    if (operation.kind === "gather") return this.#operands.gather(node, masked);
    if (operation.kind === "dropout-mask") {
      const seed = this.#operands.seedPointer(inputs[0] as Node);
      const names = this.#dropout.start(operation, seed);
      this.#operands.prologue.push(...names.prologue);
      this.#operands.rowStart.push(...names.row);
      return names.value;
    }
    const wholeRow = this.nest.roleOf(node) === "row";
    return printOperation(node, inputs.map((x) => this.#operand(x, phase, masked, wholeRow)));
  }

  /** Stores of a full value: to memory, and to scratch memory if a later phase reads it. */
  #storeFull(node: Node, phase: number, masked: boolean): string[] {
    const { nest } = this;
    const stores: string[] = [];
    const mask = masked ? "m(m, " : "(";
    if (nest.exported.has(node)) {
      const buffer = this.buffers.of(node);
      this.#writes.add(buffer);
      this.#stores.set(buffer, phase);
      const pointer = this.#operands.ownRow(buffer, `${this.#name(node)}_out`);
      stores.push(`${STORES[buffer.storage]}${mask}${pointer} + c, ${this.#name(node)});`);
    }
    if (this.#slots.has(node)) {
      stores.push(`st${mask}${this.#name(node)}${ROW} + c, ${this.#name(node)});`);
    }
    return stores;
  }

  #storeRow(node: Node): string[] {
    if (!this.nest.exported.has(node)) return [];
    const buffer = this.buffers.of(node);
    this.#writes.add(buffer);
    const value = `lane0(${this.#name(node)})`;
    const converted = {
      float32: value,
      bfloat16: `f2b(${value})`,
      int32: `w_lane0(${this.#name(node)})`,
      bool: `${value} != 0`,
    }[buffer.storage];
    const k = this.#operands.pointer(buffer);
    this.#operands.describe(k, `${this.#name(node)} [R]`);
    return [`((${C_TYPES[buffer.storage]} *)P[${k}])[r] = ${converted};`];
  }

  /** The statements of a phase: values of the row, then the loops over its columns. */
  #printPhase(phase: number): readonly string[] {
    const { nest } = this;
    const here = nest.nodes.filter((node) => nest.phaseOf(node) === phase);
    const lines: string[] = [];
    for (const node of here) {
      if (nest.roleOf(node) !== "row") continue;
      if (!isFusedReduction(node)) {
        lines.push(`const V ${this.#name(node)} = ${this.#expression(node, phase, false)};`);
      }
      lines.push(...this.#storeRow(node));
    }
    const full = here.filter((node) => nest.roleOf(node) === "full");
    const columnSums = here.filter((node) => nest.roleOf(node) === "column");
    const rowSums = nest.nodes.filter((node) =>
      nest.roleOf(node) === "row" && isFusedReduction(node) && nest.phaseOf(node) === phase + 1
    );
    if (full.length + columnSums.length + rowSums.length === 0) return lines;
    if (nest.flat) {
      // Elements run backward: the ones that were written last may still be in the cache.
      const whole = this.#columnBody(phase, full, [], [], { masked: false, accumulator: "" });
      const rest = this.#columnBody(phase, full, [], [], { masked: true, accumulator: "" });
      return [
        ...lines,
        "long c = r0 + (r1 - r0) / LANES * LANES;",
        ...block("if (c < r1)", ["const B m = tail(r1 - c);", ...rest]),
        ...block("for (c -= LANES; c >= r0; c -= LANES)", whole),
      ];
    }
    const reductions = rowSums.length > 0 ? 4 : 1; // independent accumulators hide the latency of a sum
    for (const node of rowSums) {
      const start = startReduction(node), name = accumulators(this.#name(node));
      lines.push(`V ${name}[${reductions}];`);
      lines.push(`for (int u = 0; u < ${reductions}; u++) ${name}[u] = ${start};`);
    }
    const whole = (accumulator: string) =>
      this.#columnBody(phase, full, rowSums, columnSums, { masked: false, accumulator });
    const unrolled = reductions === 1 ? [] : block(`while (c + ${reductions} * LANES <= C)`, [
      `_Pragma("GCC unroll ${reductions}")`,
      ...block(`for (int u = 0; u < ${reductions}; u++, c += LANES)`, whole("u")),
    ]);
    const one = block("for (; c + LANES <= C; c += LANES)", whole("0"));
    const rest = this.#columnBody(phase, full, rowSums, columnSums, {
      masked: true,
      accumulator: "0",
    });
    return [
      ...lines,
      ...block("", [
        "long c = 0;",
        ...unrolled,
        ...one,
        ...block("if (c < C)", ["const B m = tail(C - c);", ...rest]),
      ]),
      ...rowSums.map((node) => this.#finishReduction(node, reductions)),
    ];
  }

  /** One iteration over a vector of columns: loads, computation, reductions, stores. */
  #columnBody(
    phase: number,
    full: readonly Node[],
    rowSums: readonly Node[],
    columnSums: readonly Node[],
    { masked, accumulator }: { readonly masked: boolean; readonly accumulator: string },
  ): readonly string[] {
    this.#operands.startLoop();
    const body: string[] = [];
    for (const node of full) {
      body.push(`const V ${this.#name(node)} = ${this.#expression(node, phase, masked)};`);
    }
    for (const node of rowSums) {
      const x = this.#operand(node.inputs[0] as Node, phase, masked, false);
      const place = `${accumulators(this.#name(node))}[${accumulator}]`;
      const counted = masked ? `sel(m, ${x}, ${startReduction(node)})` : x;
      body.push(`${place} = ${combineParts(node, place, counted)};`);
    }
    for (const node of columnSums) {
      const x = this.#operand(node.inputs[0] as Node, phase, masked, false);
      const place = `${this.#name(node)}${ROW} + c`;
      body.push(
        masked
          ? `stm(m, ${place}, ldm(m, ${place}) + ${x});`
          : `st(${place}, ld(${place}) + ${x});`,
      );
    }
    for (const node of full) body.push(...this.#storeFull(node, phase, masked));
    return [...this.#operands.loads, ...body];
  }

  /** Reduces accumulators and lanes of a row reduction to one value in all lanes. */
  #finishReduction(node: Node, count: number): string {
    const name = this.#name(node);
    const parts = Array.from({ length: count }, (_, u) => `${accumulators(name)}[${u}]`);
    const whole = parts.reduce((sum, part) => combineParts(node, sum, part));
    return `const V ${name} = ${foldLanes(node, whole)};`;
  }

  /** Initializes the chunk's partial column sums; another instruction adds up the chunks. */
  #printColumnSumStart(): string[] {
    const { nest } = this;
    const lines: string[] = [];
    for (const node of nest.nodes) {
      if (nest.roleOf(node) !== "column") continue;
      const { parts: rows, nest: { space: { columns } } } = this;
      const partial = this.buffers.scratch({ rows, columns });
      this.#writes.add(partial);
      this.#columnSums.push({ node, partial });
      const name = `${this.#name(node)}${ROW}`, k = this.#operands.pointer(partial);
      this.#operands.describe(k, `partial sums of ${this.#name(node)}`);
      lines.push(
        `float *${name} = (float *)P[${k}] + ((Scratch *)T)->chunk * CP;`,
        `for (long c = 0; c < CP; c++) ${name}[c] = 0;`,
      );
    }
    return lines;
  }
}
