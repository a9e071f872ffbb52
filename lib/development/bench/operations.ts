/**
 * Single operations to measure, with the shapes that occur in the models of the step benchmarks.
 * @module
 */

/** An operation and its shapes. `matMul` is a batch of [m, k] · [k, n]; either operand can be stored transposed. */
export type OperationSpec =
  & { readonly label: string; readonly work: number; readonly unit: "GFLOP/s" | "GB/s" }
  & (
    | {
      readonly operation: "matMul";
      readonly batch: number;
      readonly m: number;
      readonly k: number;
      readonly n: number;
      readonly transposeA: boolean;
      readonly transposeB: boolean;
    }
    | {
      readonly operation: "softmax" | "layerNorm" | "gelu" | "dropout" | "adamW";
      readonly rows: number;
      readonly columns: number;
    }
    | {
      readonly operation: "gather" | "scatter";
      /** Number of rows of the table. */
      readonly table: number;
      readonly rows: number;
      readonly columns: number;
    }
  );

/** A matrix product, labeled as `8× 64×32 · 32×64`, with `ᵀ` after an operand that is stored transposed. */
function matMul(
  what: string,
  [batch, m, k, n]: readonly [number, number, number, number],
  { transposeA = false, transposeB = false } = {},
): OperationSpec {
  const sizes = `${m}×${k}${transposeA ? "ᵀ" : ""} · ${k}×${n}${transposeB ? "ᵀ" : ""}`;
  return {
    operation: "matMul",
    label: `${what} ${batch > 1 ? `${batch}× ` : ""}${sizes}`,
    batch,
    m,
    k,
    n,
    transposeA,
    transposeB,
    work: 2 * batch * m * k * n,
    unit: "GFLOP/s",
  };
}

/** An elementwise or row-wise operation. `passes`: minimum number of reads and writes per element. */
function rowwise(
  operation: "softmax" | "layerNorm" | "gelu" | "dropout" | "adamW",
  [rows, columns]: readonly [number, number],
  passes: number,
): OperationSpec {
  return {
    operation,
    label: `${operation} ${rows}×${columns}`,
    rows,
    columns,
    work: 4 * passes * rows * columns,
    unit: "GB/s",
  };
}

/** A gather of table rows by index, or the scatter-add of rows into a table. */
function lookup(
  operation: "gather" | "scatter",
  [table, rows, columns]: readonly [number, number, number],
): OperationSpec {
  // gather: rows read and written; scatter: rows read, the whole table written
  const elements = columns * (operation === "gather" ? 2 * rows : rows + table);
  return {
    operation,
    label: `${operation} ${rows} of ${table}×${columns}`,
    table,
    rows,
    columns,
    work: 4 * elements,
    unit: "GB/s",
  };
}

const STORED = { transposeB: true }; // the weight of a linear layer is stored as [out, in]

/** In the order of measurement. */
export const OPERATIONS: readonly OperationSpec[] = [
  matMul("mini attention output", [1, 2048, 384, 384], STORED),
  matMul("mini intermediate", [1, 2048, 384, 1536], STORED),
  matMul("mini output", [1, 2048, 1536, 384], STORED),
  matMul("mini intermediate, gradient of input", [1, 2048, 1536, 384]),
  matMul("mini intermediate, gradient of weight", [1, 1536, 2048, 384], { transposeA: true }),
  matMul("mini attention scores", [384, 64, 32, 64], STORED),
  matMul("mini attention values", [384, 64, 64, 32]),
  matMul("base intermediate", [1, 1024, 768, 3072], STORED),
  matMul("base intermediate, gradient of weight", [1, 3072, 1024, 768], { transposeA: true }),
  rowwise("softmax", [24576, 64], 2),
  rowwise("layerNorm", [2048, 384], 2),
  rowwise("gelu", [2048, 1536], 2),
  rowwise("dropout", [2048, 1536], 2),
  lookup("gather", [30522, 2048, 384]),
  lookup("scatter", [30522, 2048, 384]),
  rowwise("adamW", [30522, 384], 7), // four arrays are read, three written
];
