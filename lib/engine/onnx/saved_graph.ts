/**
 * Runs an ONNX file with named inputs and outputs. Inputs are integers, outputs are float32.
 * @module
 */
import { loadOnnxRuntime } from "./onnx_runtime.ts";
import { sizeOf } from "@/engine/views.ts";

/** An input: integers in row-major order. */
type GraphInput = {
  readonly data: BigInt64Array<ArrayBuffer>;
  readonly shape: readonly number[];
};

/** An opened ONNX file; declare it with `using`. */
export type SavedGraph = Disposable & {
  /** Version of ONNX Runtime. */
  readonly version: string;
  /** Values of each output in row-major order. Inputs and output shapes are passed in the order of the names. */
  run(
    inputs: readonly GraphInput[],
    shapes: readonly (readonly number[])[],
  ): Promise<readonly Float32Array<ArrayBuffer>[]>;
};

/** Opens the ONNX file with content `model` for the named outputs. Runs do not block the event loop. */
export function openSavedGraph(
  model: Uint8Array<ArrayBuffer>,
  { inputs, outputs, threads }: {
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly threads: number;
  },
): SavedGraph {
  const runtime = loadOnnxRuntime();
  const session = runtime.createSession(model, threads, { inputs, outputs });
  let running = 0, isClosed = false;
  const releaseUnused = () => {
    if (isClosed && running === 0) session.release(); // a session in use must outlive its run
  };
  return {
    version: runtime.version,
    async run(given, shapes) {
      if (isClosed) throw new TypeError("internal: the graph is closed");
      const outputs = shapes.map((shape) => ({ values: new Float32Array(sizeOf(shape)), shape }));
      const feeds = given.map(({ data, shape }) =>
        runtime.createTensor(new Uint8Array(data.buffer), "int64", shape)
      );
      const targets = outputs.map(({ values, shape }) =>
        runtime.createTensor(new Uint8Array(values.buffer), "float32", shape)
      );
      running++;
      try {
        await session.run(feeds, targets);
      } finally {
        running--;
        releaseUnused();
        for (const tensor of [...feeds, ...targets]) runtime.releaseTensor(tensor);
      }
      return outputs.map(({ values }) => values);
    },
    [Symbol.dispose]() {
      if (isClosed) return;
      isClosed = true;
      releaseUnused();
    },
  };
}
