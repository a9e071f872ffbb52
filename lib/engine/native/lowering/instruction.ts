/**
 * Instructions of the native runtime and their buffers; `instruction_table.ts` has the layout of the table.
 * @module
 */
import type { LoweredGraph, Storage } from "../../fusion/lowering.ts";
import { STORAGE_BYTES, storageOf } from "../../fusion/lowering.ts";
import { isGiven } from "../../fusion/lowering.ts";
import type { Node } from "../../ir.ts";
import type { WorkTerms } from "./count_work.ts";
import type { PassKind } from "../../profile.ts";
import { sizeOf } from "../../views.ts";
import { type Opcode, SIZES } from "../abi.ts";

/** A block of memory that instructions read and write. */
export type Buffer = {
  readonly bytes: number;
  readonly storage: Storage;
  /** Id of the node whose value it holds; null for other memory. */
  readonly node: number | null;
  /** For scratch memory, its rows of floats; null for a value. */
  readonly rows: ScratchRows | null;
  /** For memory from outside, its slot and offset; null for a place in the arena. */
  readonly given: { readonly slot: number; readonly offset: number } | null;
  /** The buffer whose memory it shares. */
  alias: Buffer | null;
  /** First and last instruction that uses it, in the arena plan. */
  first: number;
  last: number;
  /** Offset in the arena. */
  offset: number;
};

/** A kernel's use of a buffer, which decides whether it may overwrite it. */
export type Access = {
  /** True if it is read only at exactly (row, column), so that an element can be overwritten once it has been read. */
  aligned: boolean;
  /** The last phase that reads it. */
  readPhase: number;
};

/** Rows of floats, each padded to whole vectors. */
export type ScratchRows = { readonly rows: number; readonly columns: number };

/** Bytes of such rows. */
export function scratchBytesOf({ rows, columns }: ScratchRows): number {
  return rows * Math.ceil(columns / SIZES.maxLanes) * SIZES.maxLanes * 4;
}

/** One entry of the table that the runtime runs. */
export type Instruction = {
  readonly opcode: Opcode;
  readonly kind: PassKind;
  /** Counts its work, when a profile asks. */
  readonly countWork: () => WorkTerms;
  /**
   * Iterations to partition, and the unit of the partition. For a matrix product with an epilogue these are its rows,
   * and the number of the epilogue's iterations in one row.
   */
  readonly rows: number;
  readonly cut: number;
  /** Name of its kernel; for a matrix product, of its epilogue. */
  readonly kernel: string | null;
  /** The nodes that its kernel computes, in the order of their names in the text. */
  readonly kernelNodes: readonly Node[];
  /** True if the kernel writes a partial result for each chunk, including empty ones. */
  readonly everyChunk: boolean;
  /** Scratch memory of each thread. */
  readonly scratch: ScratchRows;
  /** For a matrix product, the position of the persistent input that is its B; null: none. */
  readonly persistent: number | null;
  readonly pointers: readonly (Buffer | null)[];
  /** Bytes added to each pointer. */
  readonly shifts: readonly number[];
  readonly numbers: readonly (number | bigint)[];
  readonly reads: readonly Buffer[];
  readonly writes: readonly Buffer[];
  /** Results that must be computed in the memory of an operand. */
  readonly onto: readonly (readonly [Buffer, Buffer])[];
  /** For kernels, the use of each buffer that is read, and the phase that stores each full value. */
  readonly access: ReadonlyMap<Buffer, Access>;
  readonly stores: ReadonlyMap<Buffer, number>;
  /** The node whose value it computes (the last one of several), for messages. */
  readonly origin: Node;
  /** For a matrix product, its epilogue; null: none. */
  readonly epilogue: Pick<Instruction, "kind" | "countWork"> | null;
};

/** An instruction from its differences to the common case, which reads and writes whole buffers. */
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
    ...{
      rows: 0,
      cut: 1,
      kernel: null,
      kernelNodes: [],
      everyChunk: false,
      numbers: [],
      onto: [],
      persistent: null,
    },
    ...{ access: new Map(), stores: new Map(), epilogue: null, scratch: { rows: 0, columns: 0 } },
    shifts: given.pointers.map(() => 0),
    ...given,
  };
}

/** Slots before the inputs: the arena, and the program's own constants. */
export const ARENA_SLOT = 0, CONSTANTS_SLOT = 1, FIRST_INPUT_SLOT = 2;

/** Rounds a size up, so that buffers start on cache lines, and large ones on pages. */
export function alignBytes(bytes: number): number {
  const unit = bytes >= 4096 ? 4096 : 64;
  return Math.ceil(bytes / unit) * unit;
}

/** A buffer of a size and an origin, not placed yet. */
export function makeBuffer(
  { bytes, storage, given, node = null, rows = null }:
    & Pick<Buffer, "bytes" | "storage" | "given">
    & Partial<Buffer>,
): Buffer {
  return { bytes, storage, given, node, rows, alias: null, first: Infinity, last: -1, offset: -1 };
}

/** Constant elements and their offset in the constants' slot. */
export type PlacedConstant = { readonly data: Uint8Array; readonly offset: number };

/** The buffers of a program by node. */
export class BufferTable {
  readonly all: Buffer[] = [];
  /** In the order of their offsets. */
  readonly constants: PlacedConstant[] = [];
  constantBytes = 0;
  /** Number of slots: arena, constants, inputs and outputs. */
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
    const buffer = this.#add({ bytes, storage, given, node: node.id });
    this.#byNode.set(node, buffer);
    return buffer;
  }

  /** Scratch memory of an instruction. */
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
