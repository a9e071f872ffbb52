/**
 * Code for all values of the free sizes, from the code at two samples of them: everything but numbers must be
 * the same at both, and every number a product of sizes (see `free_sizes.ts`).
 * @module
 */
import { evaluateTerm, findTerm, type Sizes, type SizeTerm } from "@/engine/free_sizes.ts";
import type { WorkTerms } from "@/engine/native/count_work.ts";
import {
  type Buffer,
  type Instruction,
  makeBuffer,
  scratchBytesOf,
} from "@/engine/native/instruction.ts";
import { type DraftCode, layOutCode, type NativeCode } from "@/engine/native/lay_out.ts";

/** Code at a sample of the free sizes. */
export type SampledCode = { readonly draft: DraftCode; readonly sizes: Sizes };

/** Code whose numbers are filled in. */
export type GenericCode = {
  /** Bodies of the kernels by name: the same at all sizes. */
  readonly kernels: ReadonlyMap<string, string>;
  /** The code at some sizes; null where it would overwrite what it still reads there. */
  at(sizes: Sizes): NativeCode | null;
};

/** A number that may depend on the sizes. */
type Number = SizeTerm | number | bigint;

/** Makes code for all sizes of two samples; null where they differ in more than numbers. */
export function generalizeCode(samples: readonly [SampledCode, SampledCode]): GenericCode | null {
  try {
    return generalize(samples);
  } catch (error) {
    if (error instanceof NotGeneric) return null;
    throw error;
  }
}

class NotGeneric extends Error {}

function generalize([one, other]: readonly [SampledCode, SampledCode]): GenericCode {
  const samples = [one.sizes, other.sizes] as const;
  const numberOf = (a: number | bigint, b: number | bigint): Number => {
    if (a === b) return a;
    const term = typeof a === "number" && typeof b === "number" ? findTerm([a, b], samples) : null;
    if (term === null) throw new NotGeneric(`${a} and ${b}`);
    return term;
  };
  const places = [one, other].map(({ draft }) =>
    new Map(draft.buffers.map((buffer, i) => [buffer, i]))
  );
  const placeOf = (buffer: Buffer, sample: 0 | 1) => places[sample]?.get(buffer) as number;

  /** All that must be the same at both samples, as a text. */
  const structure = ({ draft }: SampledCode, sample: 0 | 1) => {
    const at = (buffer: Buffer | null) => buffer === null ? null : placeOf(buffer, sample);
    return JSON.stringify([
      draft.buffers.map(({ storage, given, rows }) => [storage, given, rows?.rows]),
      draft.constants.map(({ offset }) => offset),
      draft.constantBytes,
      draft.slots,
      draft.lookups,
      draft.instructions.map((instruction) => [
        instruction.opcode,
        instruction.kind,
        instruction.kernel,
        instruction.allParts,
        instruction.lasting,
        instruction.scratch.rows,
        instruction.pointers.map(at),
        instruction.shifts.length,
        instruction.numbers.length,
        instruction.reads.map(at),
        instruction.writes.map(at),
        instruction.onto.map((pair) => pair.map(at)),
        [...instruction.access].map(([buffer, access]) => [at(buffer), access]),
        [...instruction.stores].map(([buffer, phase]) => [at(buffer), phase]),
        instruction.epilogue?.kind,
      ]),
    ]);
  };
  if (structure(one, 0) !== structure(other, 1)) throw new NotGeneric("structures");
  one.draft.constants.forEach(({ data }, i) => {
    if (!equalBytes(data, other.draft.constants[i]?.data)) throw new NotGeneric("constants");
  });

  const pairs = <T>(some: readonly T[], others: readonly T[]) =>
    some.map((x, i) => [x, others[i] as T] as const);
  // Rows of whole vectors are no products of sizes: their bytes follow from their columns.
  const extents = pairs(one.draft.buffers, other.draft.buffers).map(([a, b]) =>
    a.rows && b.rows ? numberOf(a.rows.columns, b.rows.columns) : numberOf(a.bytes, b.bytes)
  );
  const instructions = pairs(one.draft.instructions, other.draft.instructions)
    .map(([a, b]) => ({
      instruction: a,
      rows: numberOf(a.rows, b.rows),
      cut: numberOf(a.cut, b.cut),
      scratchColumns: numberOf(a.scratch.columns, b.scratch.columns),
      shifts: pairs(a.shifts, b.shifts).map(([x, y]) => numberOf(x, y)),
      numbers: pairs(a.numbers, b.numbers).map(([x, y]) => numberOf(x, y)),
      countWork: genericWork(a.countWork, b.countWork, numberOf),
      countBehind: a.epilogue && b.epilogue &&
        genericWork(a.epilogue.countWork, b.epilogue.countWork, numberOf),
    }));

  const { kernels, buffers: sampled, ...rest } = one.draft;
  return {
    kernels,
    at(sizes) {
      const value = (x: Number) => typeof x === "object" ? evaluateTerm(x, sizes) : x;
      const size = (x: Number) => value(x) as number;
      const buffers = sampled.map((buffer, i) => {
        const extent = size(extents[i] as Number);
        if (buffer.rows === null) return makeBuffer({ ...buffer, bytes: extent });
        const rows = { ...buffer.rows, columns: extent };
        return makeBuffer({ ...buffer, rows, bytes: scratchBytesOf(rows) });
      });
      const own = (buffer: Buffer) => buffers[placeOf(buffer, 0)] as Buffer;
      const keyed = <V>(map: ReadonlyMap<Buffer, V>) =>
        new Map([...map].map(([buffer, x]) => [own(buffer), x]));
      const filled = instructions.map((
        { instruction, rows, cut, scratchColumns, shifts, numbers, countWork, countBehind },
      ): Instruction => ({
        ...instruction,
        rows: size(rows),
        cut: size(cut),
        scratch: { rows: instruction.scratch.rows, columns: size(scratchColumns) },
        shifts: shifts.map(size),
        numbers: numbers.map(value),
        countWork: () => countWork(sizes),
        epilogue: instruction.epilogue && countBehind &&
          { ...instruction.epilogue, countWork: () => countBehind(sizes) },
        pointers: instruction.pointers.map((buffer) => buffer && own(buffer)),
        reads: instruction.reads.map(own),
        writes: instruction.writes.map(own),
        onto: instruction.onto.map(([result, term]) => [own(result), own(term)] as const),
        access: keyed(instruction.access),
        stores: keyed(instruction.stores),
      }));
      const draft = { ...rest, kernels, buffers, instructions: filled };
      const { code, overwritten } = layOutCode(draft);
      return overwritten.size > 0 ? null : code;
    },
  };
}

/** Counts work at any sizes from how it is counted at two samples; done when it is first asked for. */
function genericWork(
  one: () => WorkTerms,
  other: () => WorkTerms,
  numberOf: (a: number, b: number) => Number,
): (sizes: Sizes) => WorkTerms {
  let known: { readonly [K in keyof WorkTerms]: readonly Number[] } | undefined;
  const fit = (some: readonly number[], others: readonly number[]) =>
    some.map((x, i) => numberOf(x, others[i] as number));
  return (sizes) => {
    if (known === undefined) {
      const a = one(), b = other();
      known = { flops: fit(a.flops, b.flops), bytes: fit(a.bytes, b.bytes) };
    }
    const value = (x: Number) =>
      typeof x === "object" ? evaluateTerm(x, sizes) : globalThis.Number(x);
    return { flops: known.flops.map(value), bytes: known.bytes.map(value) };
  };
}

function equalBytes(some: Uint8Array, others: Uint8Array | undefined): boolean {
  return some.length === others?.length && some.every((byte, i) => byte === others[i]);
}
