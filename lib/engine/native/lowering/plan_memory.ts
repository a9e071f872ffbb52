/**
 * The memory plan: the lifetime of each buffer, buffers that may share memory, and positions in the arena.
 * @module
 */
import { alignBytes, type Buffer, type Instruction } from "./instruction.ts";

/** Buffers that live for at most this many instructions share a small region, which stays in the cache. */
const SHORT_LIFE = 24;

/** Memory that a program needs in addition to its inputs and outputs. */
type MemoryPlan = { readonly arenaBytes: number };

/** The buffer that owns a buffer's memory. */
export function rootOf(buffer: Buffer): Buffer {
  let root = buffer;
  while (root.alias !== null) root = root.alias;
  return root;
}

/** Computes lifetimes, aliases and positions of all buffers, in place. */
export function planMemory(
  instructions: readonly Instruction[],
  buffers: readonly Buffer[],
): MemoryPlan {
  instructions.forEach(({ reads, writes }, i) => {
    for (const buffer of [...reads, ...writes]) {
      buffer.first = Math.min(buffer.first, i);
      buffer.last = Math.max(buffer.last, i);
    }
  });
  shareMemory(instructions);
  for (const buffer of buffers) {
    const root = rootOf(buffer);
    root.first = Math.min(root.first, buffer.first);
    root.last = Math.max(root.last, buffer.last);
  }
  const roots = buffers.filter(({ given, alias, last }) =>
    given === null && alias === null && last >= 0
  )
    .sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  const isShort = ({ first, last }: Buffer) => last - first <= SHORT_LIFE;
  const shortEnd = place(roots.filter(isShort), 0);
  const arenaBytes = place(roots.filter((buffer) => !isShort(buffer)), alignBytes(shortEnd));
  return { arenaBytes };
}

/**
 * Shares memory between results and operands. Accumulated sums are computed in the memory of their operand. A
 * kernel overwrites an operand of the same size at the end of its life if each element is read before it is
 * written: at exactly its (row, column), and in no later phase than the store.
 */
function shareMemory(instructions: readonly Instruction[]): void {
  instructions.forEach((instruction, i) => {
    for (const [result, term] of instruction.onto) {
      if (result === term) continue;
      const root = rootOf(term);
      if (result.given !== null) {
        if (root.given === null) root.alias = result;
        continue;
      }
      result.alias = root;
      root.last = Math.max(root.last, result.last);
    }
    const taken = new Set<Buffer>();
    for (const result of instruction.writes) {
      const stored = instruction.stores.get(result);
      if (stored === undefined || result.given !== null || result.alias !== null) continue;
      const operand = instruction.reads.find((operand) => {
        const root = rootOf(operand);
        const access = instruction.access.get(operand);
        const dies = root.given === null && root.last === i && operand.last === i;
        const fits = operand.bytes === result.bytes && root.bytes === result.bytes &&
          operand.storage === result.storage;
        const alone = !taken.has(root) &&
          !instruction.reads.some((other) => other !== operand && rootOf(other) === root) &&
          !instruction.writes.some((other) => other !== operand && rootOf(other) === root);
        return dies && fits && alone && access?.aligned === true && access.readPhase <= stored;
      });
      if (operand === undefined) continue;
      const root = rootOf(operand);
      taken.add(root);
      result.alias = root;
      root.last = result.last;
    }
  });
}

/** Places buffers, largest first, in the smallest gap between buffers that are alive at the same time. */
function place(buffers: readonly Buffer[], base: number): number {
  const placed: Buffer[] = [];
  let end = base;
  for (const buffer of buffers) {
    const alive = placed.filter((other) =>
      other.last >= buffer.first && other.first <= buffer.last
    );
    alive.sort((a, b) => a.offset - b.offset);
    const bytes = alignBytes(buffer.bytes);
    let at = base, best = -1, smallest = Infinity;
    for (const other of alive) {
      const gap = other.offset - at;
      if (gap >= bytes && gap < smallest) [best, smallest] = [at, gap];
      at = Math.max(at, other.offset + alignBytes(other.bytes));
    }
    buffer.offset = best >= 0 ? best : at;
    placed.push(buffer);
    end = Math.max(end, buffer.offset + bytes);
  }
  return end;
}
