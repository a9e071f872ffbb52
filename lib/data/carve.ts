/**
 * Carves validation and test rows from train, for data sets without these splits.
 * @module
 */

import { shuffle, stream } from "@/random.ts";

/** Maximum fraction of train that may become validation, or test. */
const MAX_FRACTION = 0.2;

/** Result of {@link carveRows}: indices of rows, ascending. */
type Carved = { readonly kept: readonly number[]; readonly carved: readonly number[] };

/** Options of {@link carveRows}. */
type CarveOptions = {
  /** Number of rows to carve; at least one, at most a fifth of all ({@link MAX_FRACTION}). */
  readonly rows: number;
  readonly seed: number;
  /** The split that is carved, which names the random stream. */
  readonly split: "validation" | "test";
  /** Name of the data set, so that data sets are split independently. */
  readonly name: string;
  /** Class of each row: each keeps its share, and a class with a single row stays in train. */
  readonly classes?: readonly number[] | null;
  /** Group of each row: the rows of a group stay together. */
  readonly groups?: readonly string[] | null;
};

/**
 * Chooses rows at random. Equal options give equal choices.
 *
 * With classes, the number of rows of each class is its share rounded by largest remainders. With groups, groups are
 * chosen at random until the number of rows is reached; with both, a group counts for its most frequent class, so that the
 * shares are approximate.
 */
export function carveRows(count: number, options: CarveOptions): Carved {
  const { rows, seed, split, name, classes = null, groups = null } = options;
  if (count < 2) {
    throw new RangeError(
      `Cannot carve ${split} rows from train of "${name}": it has ${count} ${
        count === 1 ? "row" : "rows"
      }, but at least 2 are needed`,
    );
  }
  if (!Number.isInteger(rows) || rows < 1) {
    throw new RangeError(
      `Cannot carve ${split} rows: data.validationRows must be an integer above 0, but is ${rows}`,
    );
  }
  const wanted = Math.min(rows, Math.max(1, Math.floor(count * MAX_FRACTION)));
  const units = groups === null ? Array.from({ length: count }, (_, row) => [row]) : gather(groups);
  if (units.length < 2) {
    throw new RangeError(
      `Cannot carve ${split} rows from train of "${name}": all rows belong to one group (split.group)`,
    );
  }
  const order = shuffle([...units.keys()], stream(seed, split, name));
  const chosen = new Set<number>();
  const take = (candidates: readonly number[], rows: number, spare: number) => {
    let taken = 0;
    for (const unit of candidates.slice(0, candidates.length - spare)) {
      const members = units[unit] ?? [];
      if (taken >= rows) break;
      // a group that exceeds what is left by more than it fills is passed over
      if (taken > 0 && taken + members.length - rows > rows - taken) continue;
      members.forEach((row) => chosen.add(row));
      taken += members.length;
    }
  };
  if (classes === null) take(order, wanted, 1);
  else {
    const byClass = Map.groupBy(
      order,
      (unit) => mostFrequent((units[unit] ?? []).map((row) => classes[row] ?? 0)),
    );
    const strata = [...byClass].sort(([a], [b]) => a - b).map(([, members]) => members);
    const sizes = strata.map((members) =>
      members.reduce((sum, unit) => sum + (units[unit]?.length ?? 0), 0)
    );
    shareOut(wanted, sizes).forEach((rows, index) => take(strata[index] ?? [], rows, 1));
  }
  const all = Array.from({ length: count }, (_, row) => row);
  return {
    kept: all.filter((row) => !chosen.has(row)),
    carved: all.filter((row) => chosen.has(row)),
  };
}

/** Rows by group, in the order of first occurrence. */
function gather(groups: readonly string[]): number[][] {
  return [...Map.groupBy(groups.keys(), (row) => groups[row] ?? "").values()];
}

function mostFrequent(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, entry) => entry[1] > best[1] ? entry : best, [0, 0])[0];
}

/** Divides `total` in proportion to `sizes` by largest remainders. */
function shareOut(total: number, sizes: readonly number[]): number[] {
  const sum = sizes.reduce((a, b) => a + b, 0);
  const exact = sizes.map((size) => total * size / sum);
  const shares = exact.map(Math.floor);
  const rest = total - shares.reduce((a, b) => a + b, 0);
  const byRemainder = [...sizes.keys()].sort((a, b) =>
    (exact[b] ?? 0) % 1 - (exact[a] ?? 0) % 1 || a - b
  );
  for (const index of byRemainder.slice(0, rest)) shares[index] = (shares[index] ?? 0) + 1;
  return shares;
}
