/**
 * The choices that the engine offers, and the options with which it is opened.
 * @module
 */

/** Devices: `cpu` runs compiled programs of this engine, `tensorflow` runs each operation in TensorFlow's library. */
export const DEVICES = ["cpu", "tensorflow"] as const;
/** One of {@link DEVICES}. */
export type Device = typeof DEVICES[number];

/** Executors of device `cpu`; `auto` is native code if there is a C compiler, else ONNX Runtime. */
export const EXECUTORS = ["auto", "onnx", "native"] as const;
/** One of {@link EXECUTORS}. */
export type ExecutorChoice = typeof EXECUTORS[number];

/** Precisions of matrix products; everything else is float32. */
export const PRECISIONS = ["float32", "mixed-bfloat16", "mixed-float16"] as const;
/** One of {@link PRECISIONS}. */
export type Precision = typeof PRECISIONS[number];

/** Instruction sets of generated C; `native` is all that this processor has. */
export const ISAS = ["native", "avx512", "avx2", "generic"] as const;
/** One of {@link ISAS}. */
export type Isa = typeof ISAS[number];

/** Options of `openEngine`. */
export type EngineOptions = {
  /** The device; `cpu` by default. */
  readonly device?: Device;
  /** Threads that one operation may use; null: all processors. */
  readonly threads?: number | null;
  /** The executor of compiled programs; `auto`: C if a compiler is found, else ONNX Runtime. */
  readonly executor?: ExecutorChoice;
  /** Precision of matrix products in compiled programs; on device `tensorflow`, of all matrix products. */
  readonly precision?: Precision;
  /** Instruction set of generated C; null: `native`. */
  readonly isa?: Isa | null;
  /** Folder of the library of device `tensorflow`; null: `TF_LIB`, else the usual places. */
  readonly library?: string | null;
  /** Receives one line about each choice or missing part, and one about each operation that is not compiled. */
  readonly onNote?: (note: string) => void;
};
