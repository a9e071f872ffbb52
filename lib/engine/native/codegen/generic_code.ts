/**
 * Code for all values of the dynamic dimensions, from the code at two samples of them. Everything but numbers must
 * be equal at both, and every number must be a product of sizes (see `dynamic_dimensions.ts`).
 * @module
 */
import { lookUp } from "@/engine/errors.ts";
import {
  evaluateTerm,
  findTerm,
  NotGenericError,
  type Sizes,
  type SizeTerm,
} from "../../dynamic_dimensions.ts";
import type { WorkTerms } from "../lowering/count_work.ts";
import {
  type Buffer,
  type Instruction,
  makeBuffer,
  scratchBytesOf,
} from "../lowering/instruction.ts";
import { type DraftCode, layOutCode, type NativeCode } from "../lowering/lay_out.ts";
import type { KernelText } from "./kernel_texts.ts";

/** Code at a sample of the dynamic dimensions. */
export type SampledCode = { readonly draft: DraftCode; readonly sizes: Sizes };

/** Code with numbers that depend on the sizes. */
export type GenericCode = {
  /** The kernels by name, equal at all sizes. */
  readonly kernels: ReadonlyMap<string, KernelText>;
  /** The instructions at the first sample. */
  readonly instructions: readonly Instruction[];
  /** The code at some sizes; null if one is 0, or if the code would overwrite a value before its last read. */
  at(sizes: Sizes): NativeCode | null;
};

/** A number that may depend on the sizes; 64-bit words do not. */
type SizedNumber = SizeTerm | number | bigint;

/** The number that is `a` at one sample and `b` at the other; null if it is not a product of sizes. */
type Find = (a: number | bigint, b: number | bigint) => SizedNumber | null;

/** Code for all sizes from two samples; throws a {@link NotGenericError} if they differ in more than numbers. */
export function generalizeCode([one, other]: readonly [SampledCode, SampledCode]): GenericCode {
  if (describe(one.draft) !== describe(other.draft)) {
    throw new NotGenericError("its instructions differ from size to size");
  }
  for (const [a, b] of pair(one.draft.constants, other.draft.constants)) {
    if (!equalBytes(a.data, b.data)) {
      throw new NotGenericError("its constants differ from size to size");
    }
  }
  const find: Find = (a, b) => {
    if (a === b) return a;
    if (typeof a !== "number" || typeof b !== "number") return null;
    return findTerm([a, b], [one.sizes, other.sizes]);
  };
  const buffers = pair(one.draft.buffers, other.draft.buffers).map(([a, b]) =>
    fitBuffer(a, b, find)
  );
  const places = placesOf(one.draft);
  const instructions = pair(one.draft.instructions, other.draft.instructions)
    .map(([a, b]) => fitInstruction(a, b, { find, places }));
  return {
    kernels: one.draft.kernels,
    instructions: one.draft.instructions,
    at(sizes) {
      if (sizes.includes(0)) return null; // a trace at size 0 drops most operations, and matrix products need elements
      const filled = buffers.map((fill) => fill(sizes));
      const { code, overwritten } = layOutCode({
        ...one.draft,
        buffers: filled,
        instructions: instructions.map((fill) => fill(sizes, filled)),
      });
      return overwritten.size > 0 ? null : code;
    },
  };
}

/** Pairs of elements at the same index of two arrays of equal length. */
function pair<T>(some: readonly T[], others: readonly T[]): (readonly [T, T])[] {
  return some.map((x, i) => [x, others[i] as T] as const);
}

/** The result of `find`; throws to end the attempt if there is none. */
function fit(a: number | bigint, b: number | bigint, find: Find): SizedNumber {
  const found = find(a, b);
  if (found === null) {
    throw new NotGenericError("it computes with a number that is not a product of sizes");
  }
  return found;
}

function valueOf(number: SizedNumber, sizes: Sizes): number | bigint {
  return typeof number === "object" ? evaluateTerm(number, sizes) : number;
}

const sizeAt = (number: SizedNumber, sizes: Sizes) => Number(valueOf(number, sizes));

/** The index of each buffer. */
function placesOf({ buffers }: DraftCode): ReadonlyMap<Buffer, number> {
  return new Map(buffers.map((buffer, i) => [buffer, i]));
}

/** Everything of a code that must be equal at both samples, as a string. */
function describe(draft: DraftCode): string {
  const places = placesOf(draft);
  const at = (buffer: Buffer | null) => buffer && places.get(buffer);
  return JSON.stringify([
    draft.buffers.map(({ storage, given, rows }) => [storage, given, rows?.rows]),
    draft.constants.map(({ offset }) => offset),
    [draft.constantBytes, draft.slots, draft.lookups],
    draft.instructions.map((instruction) => {
      const { opcode, kind, kernel, everyChunk, persistent, scratch, epilogue } = instruction;
      return [
        [opcode, kind, kernel, everyChunk, persistent, scratch.rows, epilogue?.kind],
        [instruction.shifts.length, instruction.numbers.length],
        [instruction.pointers, instruction.reads, instruction.writes].map((all) => all.map(at)),
        instruction.onto.map((each) => each.map(at)),
        [...instruction.access].map(([buffer, access]) => [at(buffer), access]),
        [...instruction.stores].map(([buffer, phase]) => [at(buffer), phase]),
      ];
    }),
  ]);
}

/** A buffer as a function of sizes. Rows padded to whole vectors are not a product; their bytes follow from the rows. */
function fitBuffer(a: Buffer, b: Buffer, find: Find): (sizes: Sizes) => Buffer {
  const { rows } = a;
  if (rows === null || b.rows === null) {
    const bytes = fit(a.bytes, b.bytes, find);
    return (sizes) => makeBuffer({ ...a, bytes: sizeAt(bytes, sizes) });
  }
  const columns = fit(rows.columns, b.rows.columns, find);
  return (sizes) => {
    const filled = { ...rows, columns: sizeAt(columns, sizes) };
    return makeBuffer({ ...a, rows: filled, bytes: scratchBytesOf(filled) });
  };
}

/** An instruction as a function of sizes, over buffers of these sizes. */
function fitInstruction(
  a: Instruction,
  b: Instruction,
  { find, places }: { readonly find: Find; readonly places: ReadonlyMap<Buffer, number> },
): (sizes: Sizes, buffers: readonly Buffer[]) => Instruction {
  const fitAll = (some: Instruction["numbers"], others: Instruction["numbers"]) =>
    pair(some, others).map(([x, y]) => fit(x, y, find));
  const rows = fit(a.rows, b.rows, find), cut = fit(a.cut, b.cut, find);
  const scratchColumns = fit(a.scratch.columns, b.scratch.columns, find);
  const shifts = fitAll(a.shifts, b.shifts), numbers = fitAll(a.numbers, b.numbers);
  const countWork = fitWork(a.countWork, b.countWork, find);
  const countBehind = a.epilogue && b.epilogue &&
    fitWork(a.epilogue.countWork, b.epilogue.countWork, find);
  return (sizes, buffers) => {
    const own = (buffer: Buffer) => buffers[lookUp(places, buffer, "a buffer's place")] as Buffer;
    const keyed = <V>(map: ReadonlyMap<Buffer, V>) =>
      new Map([...map].map(([buffer, value]) => [own(buffer), value]));
    return {
      ...a,
      rows: sizeAt(rows, sizes),
      cut: sizeAt(cut, sizes),
      scratch: { ...a.scratch, columns: sizeAt(scratchColumns, sizes) },
      shifts: shifts.map((shift) => sizeAt(shift, sizes)),
      numbers: numbers.map((number) => valueOf(number, sizes)),
      countWork: () => countWork(sizes),
      epilogue: a.epilogue && countBehind &&
        { ...a.epilogue, countWork: () => countBehind(sizes) },
      pointers: a.pointers.map((buffer) => buffer && own(buffer)),
      reads: a.reads.map(own),
      writes: a.writes.map(own),
      onto: a.onto.map(([result, term]) => [own(result), own(term)] as const),
      access: keyed(a.access),
      stores: keyed(a.stores),
    };
  };
}

/**
 * Work as a function of sizes, from the counts at two samples, computed on first use. NaN if it is not a sum of
 * products: a gather counts at most the table's rows, a limit that only one sample may reach.
 */
function fitWork(a: () => WorkTerms, b: () => WorkTerms, find: Find): (sizes: Sizes) => WorkTerms {
  let known: { readonly [K in keyof WorkTerms]: readonly SizedNumber[] } | undefined;
  return (sizes) => {
    if (known === undefined) {
      const one = a(), other = b();
      const terms = (kind: keyof WorkTerms) =>
        one[kind].length === other[kind].length
          ? pair(one[kind], other[kind]).map(([x, y]) => find(x, y) ?? NaN)
          : [NaN];
      known = { flops: terms("flops"), bytes: terms("bytes") };
    }
    const values = (all: readonly SizedNumber[]) => all.map((term) => sizeAt(term, sizes));
    return { flops: values(known.flops), bytes: values(known.bytes) };
  };
}

function equalBytes(some: Uint8Array, others: Uint8Array): boolean {
  return some.length === others.length && some.every((byte, i) => byte === others[i]);
}
