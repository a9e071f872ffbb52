/**
 * Instructions of the native runtime and the buffers that they work on; the table's layout is in `table.ts`.
 * @module
 */
import type { LoweredGraph, Storage } from "@/engine/fusion/lowering.ts";
import { STORAGE_BYTES, storageOf } from "@/engine/fusion/lowering.ts";
import { isGiven } from "@/engine/fusion/lowering.ts";
import type { Node } from "@/engine/ir.ts";
import type { WorkTerms } from "@/engine/native/count_work.ts";
import type { PassKind } from "@/engine/profile.ts";
import { sizeOf } from "@/engine/views.ts";

/** Operation codes, as the runtime knows them. */
export const OPCODES = {
  kernel: 0,
  matmul: 1,
  scatter: 2,
  pad: 3,
  combine: 4,
  copy: 5,
  reduce: 6,
  argReduce: 7,
  concat: 8,
  integerMatmul: 9,
  top: 10,
} as const;
/** Name of an operation of the runtime. */
export type Opcode = keyof typeof OPCODES;

/** A block of memory that instructions read and write. */
export type Buffer = {
  readonly bytes: number;
  readonly storage: Storage;
  /** Of memory for an instruction's own use: the rows of floats that it holds; null: it holds a value. */
  readonly rows: ScratchRows | null;
  /** Memory from outside: the slot that gives it, and where in it; null: a place in the arena. */
  readonly given: { readonly slot: number; readonly offset: number } | null;
  /** Shares the memory of another buffer. */
  alias: Buffer | null;
  /** First and last instruction that touches it, in the arena plan. */
  first: number;
  last: number;
  /** Place in the arena. */
  offset: number;
};

/**
 * The most parts that a thread's rows are dealt out in: `PARTS` of `partition.h`. What a kernel makes of each part,
 * it makes for so many times the threads.
 */
export const PARTS_PER_THREAD = 9;

/** What a product is told of its operands and result, in one of its numbers; `gemm.h` has the same. */
export const MATMUL_FLAGS = {
  /** A, B and the result are bfloat16. */
  a: 1,
  b: 2,
  c: 4,
  /** The product is added onto what is there. */
  onto: 16,
  /** Operands are rounded to bfloat16. */
  half: 32,
  /** Sums are rounded to these types. */
  bfloat16: 64,
  float16: 128,
  /** B is packed once, into memory that outlives the run. */
  keep: 256,
} as const;

/** How a kernel touches a buffer, for writing over what it reads. */
export type Access = {
  /** Read at exactly (row, column) alone, so that the element can be written once it has been read. */
  aligned: boolean;
  /** The last phase that reads it. */
  readPhase: number;
};

/** Widest vector of any processor, in floats: rows of scratch are whole vectors for all of them. */
export const MOST_LANES = 16;

/** Rows of floats, each of whole vectors. */
export type ScratchRows = { readonly rows: number; readonly columns: number };

/** Bytes of such rows. */
export function scratchBytesOf({ rows, columns }: ScratchRows): number {
  return rows * Math.ceil(columns / MOST_LANES) * MOST_LANES * 4;
}

/** One entry of the table that the runtime runs. */
export type Instruction = {
  readonly opcode: Opcode;
  readonly kind: PassKind;
  /** What it must do; counted when a profile asks. */
  readonly countWork: () => WorkTerms;
  /**
   * Iterations to share out, and the multiple at which they are cut; of a product with an epilogue its rows,
   * and what the epilogue counts for one of them.
   */
  readonly rows: number;
  readonly cut: number;
  /** Name of the kernel that runs; of a product, as its epilogue. */
  readonly kernel: string | null;
  /** The kernel makes something of each part of the rows, even of one without rows. */
  readonly allParts: boolean;
  /** What the kernel wants of its thread's scratch: rows of so many floats, each rounded up. */
  readonly scratch: ScratchRows;
  /** Of a product: the input (by position) that its B is and that lasts from call to call; null: none. */
  readonly persistent: number | null;
  readonly pointers: readonly (Buffer | null)[];
  /** Bytes added to each pointer. */
  readonly shifts: readonly number[];
  readonly numbers: readonly (number | bigint)[];
  readonly reads: readonly Buffer[];
  readonly writes: readonly Buffer[];
  /** Result and the operand in whose memory it must be made. */
  readonly onto: readonly (readonly [Buffer, Buffer])[];
  /** Of kernels: how each buffer read is read, and in which phase each full value is stored. */
  readonly access: ReadonlyMap<Buffer, Access>;
  readonly stores: ReadonlyMap<Buffer, number>;
  /** The node that it gives (the last one of several), for messages. */
  readonly origin: Node;
  /** Of a product: the kernel that follows it on rows as they are made; null: none. */
  readonly epilogue: Pick<Instruction, "kind" | "countWork"> | null;
};

/** An instruction from what differs from the common case: to read and write whole buffers. */
export function makeInstruction(
  given:
    & Pick<Instruction, "opcode" | "kind" | "pointers" | "reads" | "writes" | "origin">
    & Partial<Instruction>,
): Instruction {
  return {
    countWork() {
      const touched = [...given.reads, ...given.writes];
      return { flops: [], bytes: touched.map(({ bytes }) => bytes) };
    },
    ...{ rows: 0, cut: 1, kernel: null, allParts: false, numbers: [], onto: [], persistent: null },
    ...{ access: new Map(), stores: new Map(), epilogue: null, scratch: { rows: 0, columns: 0 } },
    shifts: given.pointers.map(() => 0),
    ...given,
  };
}

/** Slots before the inputs: the arena, and the program's own constants. */
export const ARENA_SLOT = 0, CONSTANTS_SLOT = 1, FIRST_INPUT_SLOT = 2;

/** Sizes are rounded up so that buffers start on cache lines, large ones on pages. */
export function alignBytes(bytes: number): number {
  const unit = bytes >= 4096 ? 4096 : 64;
  return Math.ceil(bytes / unit) * unit;
}

/** A buffer that nothing has been said of but its size and where it comes from. */
export function makeBuffer(
  { bytes, storage, given, rows = null }:
    & Pick<Buffer, "bytes" | "storage" | "given">
    & Partial<Buffer>,
): Buffer {
  return { bytes, storage, given, rows, alias: null, first: Infinity, last: -1, offset: -1 };
}

/** Elements that a program knows, and their place in the constants' slot. */
export type PlacedConstant = { readonly data: Uint8Array; readonly offset: number };

/** The buffers of a program by node. */
export class BufferTable {
  readonly all: Buffer[] = [];
  /** In the order of their places. */
  readonly constants: PlacedConstant[] = [];
  constantBytes = 0;
  /** Slots of the arena, the constants, inputs and outputs. */
  readonly slots: number;
  #byNode = new Map<Node, Buffer>();
  #slots = new Map<Node, number>();

  constructor(readonly lowered: LoweredGraph) {
    lowered.inputs.forEach((leaf, i) => this.#slots.set(leaf, FIRST_INPUT_SLOT + i));
    let slot = FIRST_INPUT_SLOT + lowered.inputs.length;
    for (const { node, target, copiedTo } of lowered.outputs) {
      if (copiedTo !== null) continue; // a value like any other
      if (target === null) this.#slots.set(node, slot++);
      else this.#byNode.set(node, this.of(target));
    }
    this.slots = slot;
  }

  /** The buffer of a node's value. */
  of(node: Node): Buffer {
    const known = this.#byNode.get(node);
    if (known !== undefined) return known;
    if (node.operation.kind === "constant") throw new Error("internal: a constant has no memory");
    const storage = storageOf(node, this.lowered.matmuls);
    const bytes = sizeOf(node.shape) * STORAGE_BYTES[storage];
    const slot = this.#slots.get(node);
    let given: Buffer["given"] = slot === undefined ? null : { slot, offset: 0 };
    if (given === null && isGiven(node)) {
      if (node.operation.kind !== "data") throw new Error("internal: a constant without elements");
      const { buffer, byteOffset, byteLength } = node.operation.data;
      given = { slot: CONSTANTS_SLOT, offset: this.constantBytes };
      this.constants.push({ data: new Uint8Array(buffer, byteOffset, byteLength), ...given });
      this.constantBytes += alignBytes(bytes);
    }
    const buffer = this.#add({ bytes, storage, given });
    this.#byNode.set(node, buffer);
    return buffer;
  }

  /** Memory for an instruction's own use. */
  scratch(rows: ScratchRows): Buffer {
    const bytes = scratchBytesOf(rows);
    return this.#add({ bytes, storage: "float32", given: null, rows });
  }

  #add(known: Parameters<typeof makeBuffer>[0]): Buffer {
    const buffer = makeBuffer(known);
    this.all.push(buffer);
    return buffer;
  }
}
