/**
 * Operands of a kernel: pointers, numbers, elements that are constant along a row, vectors at a column.
 * @module
 */
import type { LoopNest } from "../../fusion/nest.ts";
import type { Operand } from "../../fusion/operands.ts";
import { strideOf } from "../../fusion/matmuls.ts";
import { isOneElement } from "../../fusion/space.ts";
import type { Storage } from "../../fusion/lowering.ts";
import type { DType, Node } from "../../ir.ts";
import { floatLiteral, KernelNumbers } from "../codegen/c_numbers.ts";
import type { Access, Buffer, BufferTable } from "./instruction.ts";
import { type Digit, isContiguous, splitView } from "../../views.ts";

/** C types of stored elements. */
export const C_TYPES = {
  float32: "float",
  bfloat16: "bf16",
  int32: "int32_t",
  bool: "uint8_t",
} as const;
const LOADS = { float32: "ld", bfloat16: "ldb", int32: "ldw", bool: "ldq" } as const;

/** Macros that broadcast a stored element to every lane. */
const SPREADS = {
  float32: (element) => `S(${element})`,
  bfloat16: (element) => `S(b2f(${element}))`,
  int32: (element) => `w_set((uint32_t)${element})`,
  bool: (element) => `S((float)${element})`,
} as const satisfies Record<Storage, (element: string) => string>;

/** Constants that are printed as literals. */
const COMMON_CONSTANTS: ReadonlySet<number> = new Set([-1, -0.5, 0, 0.5, 1, 2, Math.SQRT1_2]);

/** Collects the operands of one kernel while its text is printed. */
export class KernelOperands {
  readonly numbers: KernelNumbers;
  readonly pointers: Buffer[] = [];
  readonly reads = new Set<Buffer>();
  readonly access = new Map<Buffer, Access>();
  /** Statements of each call, and of each row. */
  readonly prologue: string[] = [];
  readonly rowStart: string[] = [];
  #rowNames = new Map<string, string>();
  #constants = new Map<string, string>();
  // Loads of the column loop that is being printed.
  #loads: string[] = [];
  #loaded = new Map<string, string>();

  constructor(readonly nest: LoopNest, readonly buffers: BufferTable) {
    this.numbers = new KernelNumbers(buffers.lowered.modelSizes);
  }

  /** Number of the pointer to a buffer. */
  pointer(buffer: Buffer): number {
    const known = this.pointers.indexOf(buffer);
    return known >= 0 ? known : this.pointers.push(buffer) - 1;
  }

  /** A pointer to the start of a row in a buffer, declared once a row. */
  rowPointer(buffer: Buffer, key: string, offset: () => string): string {
    const k = this.pointer(buffer);
    const known = this.#rowNames.get(`${k} ${key}`);
    if (known !== undefined) return known;
    const name = `p${this.#rowNames.size}`;
    this.#rowNames.set(`${k} ${key}`, name);
    const type = C_TYPES[buffer.storage];
    this.rowStart.push(`${type} *${name} = (${type} *)P[${k}] + ${offset()};`);
    return name;
  }

  /** The position of a full value of this group in a buffer, for this row. */
  ownRow(buffer: Buffer): string {
    return this.nest.flat
      ? this.rowPointer(buffer, "flat", () => "0")
      : this.rowPointer(buffer, "row", () => "r * C");
  }

  /** A constant: a literal if it is a common one, else an argument, since rates differ by layer. */
  constant(value: number, dtype: DType): string {
    const isInteger = dtype === "int32";
    if (COMMON_CONSTANTS.has(value) || !Number.isFinite(value)) {
      return isInteger ? `w_set((uint32_t)${value})` : `S(${floatLiteral(value)})`;
    }
    const key = `${dtype} ${value}`;
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = `c${this.#constants.size}`;
      this.#constants.set(key, name);
      const spread = isInteger
        ? `w_set((uint32_t)${this.numbers.argument(value >>> 0)})`
        : `S(${this.numbers.floatArgument(value)})`;
      this.prologue.push(`const V ${name} = ${spread};`);
    }
    return name;
  }

  /** A value in memory at column c, or constant along the row. */
  fromMemory(operand: Operand, phase: number, masked: boolean, entireRow: boolean): string {
    const { nest } = this;
    const { base, view } = operand;
    const { rows, columns } = nest.space;
    if (entireRow) return this.#rowValue(base, splitView(view, [rows])?.[0] ?? [], view.offset);
    if (nest.flat && isOneElement(operand)) return this.#rowValue(base, [], view.offset);
    const [down = [], across = []] = splitView(view, [rows, columns]) ?? [];
    if (!nest.flat && strideOf(across) === 0 && columns > 1) {
      return this.#rowValue(base, down, view.offset);
    }
    const buffer = this.buffers.of(base);
    const contiguous = isContiguous(view, rows * columns);
    this.reads.add(buffer);
    const before = this.access.get(buffer);
    this.access.set(buffer, {
      aligned: contiguous && (before?.aligned ?? true),
      readPhase: Math.max(phase, before?.readPhase ?? 0),
    });
    const pointer = contiguous ? this.ownRow(buffer) : this.rowPointer(
      buffer,
      JSON.stringify([down, view.offset]),
      () => this.numbers.rowOffset(down, view.offset),
    );
    return this.load(pointer, LOADS[buffer.storage], masked);
  }

  /** An element that is constant along the row, in every lane. */
  #rowValue(base: Node, digits: readonly Digit[], offset: number): string {
    const buffer = this.#readAnywhere(base);
    const pointer = this.rowPointer(
      buffer,
      JSON.stringify([digits, offset]),
      () => this.numbers.rowOffset(digits, offset),
    );
    const key = `value ${pointer}`;
    let name = this.#rowNames.get(key);
    if (name === undefined) {
      name = `w${this.#rowNames.size}`;
      this.#rowNames.set(key, name);
      this.rowStart.push(`const V ${name} = ${SPREADS[buffer.storage](`*${pointer}`)};`);
    }
    return name;
  }

  /** The row of a table at this row's index, at column c. */
  gather({ inputs }: Node, masked: boolean): string {
    const [tableNode, indexNode] = inputs as [Node, Node];
    const table = this.#readAnywhere(this.nest.resolve(tableNode).base);
    const { base, view } = this.nest.resolve(indexNode);
    const k = this.pointer(this.#readAnywhere(base));
    const digits = splitView(view, [this.nest.space.rows])?.[0] ?? [];
    const pointer = this.rowPointer(table, `rows ${k} ${JSON.stringify(digits)}`, () => {
      const at = this.numbers.rowOffset(digits, view.offset);
      const rows = this.numbers.size(tableNode.shape[0] ?? 1);
      return `row_index(((const int32_t *)P[${k}])[${at}], ${rows}, T) * C`;
    });
    return this.load(pointer, LOADS[table.storage], masked);
  }

  /** A buffer that is read at other places than (row, column), so that the kernel must not overwrite it. */
  #readAnywhere(base: Node): Buffer {
    const buffer = this.buffers.of(base);
    this.reads.add(buffer);
    this.access.set(buffer, { aligned: false, readPhase: Infinity });
    return buffer;
  }

  /** The buffer of a dropout mask's seed. */
  seedPointer(seed: Node): number {
    return this.pointer(this.#readAnywhere(this.nest.resolve(seed).base));
  }

  /** A vector at column c, loaded once in the loop that is being printed. */
  load(pointer: string, load: string, masked: boolean): string {
    let name = this.#loaded.get(pointer);
    if (name === undefined) {
      name = `x${pointer}`;
      this.#loaded.set(pointer, name);
      const call = masked ? `${load}m(m, ${pointer} + c)` : `${load}(${pointer} + c)`;
      this.#loads.push(`const V ${name} = ${call};`);
    }
    return name;
  }

  /** Starts another column loop, with nothing loaded yet. */
  startLoop(): void {
    this.#loads = [];
    this.#loaded = new Map();
  }

  /** Loads at the start of the loop's body. */
  get loads(): readonly string[] {
    return this.#loads;
  }
}
