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

/** The name of a value's row in memory ends in this. */
export const ROW = "_row";

/** The name of the value that a pointer points to. */
const valueAt = (pointer: string) =>
  pointer.endsWith(ROW) ? pointer.slice(0, -ROW.length) : `${pointer}_before`;

/** Collects the operands of one kernel while its text is printed. */
export class KernelOperands {
  readonly numbers: KernelNumbers;
  readonly pointers: Buffer[] = [];
  readonly reads = new Set<Buffer>();
  readonly access = new Map<Buffer, Access>();
  /** Statements of each call, and of each row. */
  readonly prologue: string[] = [];
  readonly rowStart: string[] = [];
  /** What each pointer is for, by its number. */
  readonly #uses: string[][] = [];
  #inputs = 0;
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

  /** Notes for the comment what pointer `k` is for. */
  describe(k: number, use: string): void {
    const uses = this.#uses[k] ??= [];
    if (!uses.includes(use)) uses.push(use);
  }

  /** Lines of the comment: the pointers with their types and uses. */
  get lines(): readonly string[] {
    return this.pointers.map(({ storage }, k) =>
      `P[${k}] ${storage}: ${(this.#uses[k] ?? []).join("; ")}`
    );
  }

  /**
   * The start of a row in a buffer, declared once a row: `result` if it is named, else the next operand's. `extent` says
   * in the comment which elements are there.
   */
  rowPointer(
    buffer: Buffer,
    { key, offset, extent, result }: {
      readonly key: string;
      readonly offset: () => string;
      readonly extent: string;
      readonly result?: string | undefined;
    },
  ): string {
    const k = this.pointer(buffer);
    const known = this.#rowNames.get(`${k} ${key}`);
    const name = known ?? result ?? `x${this.#inputs++}${ROW}`;
    this.describe(k, `${result ?? valueAt(name)} ${extent}`);
    if (known !== undefined) return known;
    this.#rowNames.set(`${k} ${key}`, name);
    const type = C_TYPES[buffer.storage], at = offset();
    this.rowStart.push(`${type} *${name} = (${type} *)P[${k}]${at === "0" ? "" : ` + ${at}`};`);
    return name;
  }

  /** The position of a full value of this group in a buffer, for this row: of a `result` if it is named, else of an operand. */
  ownRow(buffer: Buffer, result?: string): string {
    const extent = this.nest.flat ? "[n]" : "[R, C]";
    return this.nest.flat
      ? this.rowPointer(buffer, { key: "flat", offset: () => "0", extent, result })
      : this.rowPointer(buffer, { key: "row", offset: () => "r * C", extent, result });
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
      name = `constant_${this.#constants.size}`;
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
    const pointer = contiguous ? this.ownRow(buffer) : this.rowPointer(buffer, {
      key: JSON.stringify([down, view.offset]),
      offset: () => this.numbers.rowOffset(down, view.offset),
      extent: down.every(({ stride }) => stride === 0) ? "[C]" : "[R, C], strided",
    });
    return this.load(pointer, { call: LOADS[buffer.storage], masked });
  }

  /** An element that is constant along the row, in every lane. */
  #rowValue(base: Node, digits: readonly Digit[], offset: number): string {
    const buffer = this.#readAnywhere(base);
    const pointer = this.rowPointer(buffer, {
      key: JSON.stringify([digits, offset]),
      offset: () => this.numbers.rowOffset(digits, offset),
      extent: digits.every(({ stride }) => stride === 0) ? "[1]" : "[R]",
    });
    const key = `value ${pointer}`;
    let name = this.#rowNames.get(key);
    if (name === undefined) {
      name = `${valueAt(pointer)}_broadcast`;
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
    this.describe(k, "indices");
    const pointer = this.rowPointer(table, {
      key: `rows ${k} ${JSON.stringify(digits)}`,
      offset: () => {
        const at = this.numbers.rowOffset(digits, view.offset);
        const rows = this.numbers.size(tableNode.shape[0] ?? 1);
        return `row_index(((const int32_t *)P[${k}])[${at}], ${rows}, T) * C`;
      },
      extent: `rows at the indices in P[${k}]`,
    });
    return this.load(pointer, { call: LOADS[table.storage], masked });
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
    const k = this.pointer(this.#readAnywhere(this.nest.resolve(seed).base));
    this.describe(k, "seed");
    return k;
  }

  /** The vector at column c of a row, loaded once in the loop that is being printed. */
  load(
    pointer: string,
    { call, masked }: { readonly call: string; readonly masked: boolean },
  ): string {
    let name = this.#loaded.get(pointer);
    if (name === undefined) {
      name = valueAt(pointer);
      this.#loaded.set(pointer, name);
      const load = masked ? `${call}m(m, ${pointer} + c)` : `${call}(${pointer} + c)`;
      this.#loads.push(`const V ${name} = ${load};`);
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
