/**
 * Carves validation rows from train, for data sets without a validation split.
 * @module
 */

import { shuffle, stream } from "@/random.ts";

/** Maximum fraction of train that may become validation. */
export const MAX_FRACTION = 0.2;

/** Result of {@link carveValidation}; both parts keep the order of the rows. */
export type Carved<T> = { readonly train: T[]; readonly validation: T[] };

/**
 * Splits `rows` randomly into train and validation. Equal seeds and names give equal splits.
 *
 * @param options.rows Number of validation rows; at least one, at most a fifth of the rows ({@link MAX_FRACTION}).
 * @param options.name Name of the random stream, so that data sets are split independently.
 */
export function carveValidation<T>(
  rows: readonly T[],
  options: { readonly rows: number; readonly seed: number; readonly name: string },
): Carved<T> {
  if (rows.length < 2) {
    throw new RangeError(
      `Cannot carve validation rows from train of "${options.name}": at least 2 rows are needed, but it has ${rows.length}`,
    );
  }
  if (!Number.isInteger(options.rows) || options.rows < 1) {
    throw new RangeError(
      `Cannot carve validation rows: data.validationRows must be an integer above 0, but is ${options.rows}`,
    );
  }
  const count = Math.min(options.rows, Math.max(1, Math.floor(rows.length * MAX_FRACTION)));
  const order = shuffle([...rows.keys()], stream(options.seed, "validation", options.name));
  const chosen = new Set(order.slice(0, count));
  return {
    train: rows.filter((_, index) => !chosen.has(index)),
    validation: rows.filter((_, index) => chosen.has(index)),
  };
}
