/**
 * Runs an ONNX file that knows its inputs and outputs by name, over whole numbers in and float32 out.
 * @module
 */
import { loadOnnxRuntime } from "@/engine/onnx/runtime.ts";
import { sizeOf } from "@/engine/views.ts";

/** An input: whole numbers, row-major. */
export type GraphInput = {
  readonly data: BigInt64Array<ArrayBuffer>;
  readonly shape: readonly number[];
};

/** An opened ONNX file; declare it with `using`. */
export type SavedGraph = Disposable & {
  /** The values of the output, row-major, given the inputs in the order of `names.inputs`. */
  run(inputs: readonly GraphInput[], shape: readonly number[]): Promise<Float32Array<ArrayBuffer>>;
};

/** Opens the ONNX file with content `model` for one of its outputs; runs do not block the event loop. */
export function openSavedGraph(
  model: Uint8Array<ArrayBuffer>,
  { inputs: names, output, threads }: {
    readonly inputs: readonly string[];
    readonly output: string;
    readonly threads: number;
  },
): SavedGraph {
  const runtime = loadOnnxRuntime();
  const session = runtime.createSession(model, threads, { inputs: names, outputs: [output] });
  return {
    async run(inputs, shape) {
      const values = new Float32Array(sizeOf(shape));
      const feeds = inputs.map(({ data, shape }) =>
        runtime.createTensor(new Uint8Array(data.buffer), "int64", shape)
      );
      const target = runtime.createTensor(new Uint8Array(values.buffer), "float32", shape);
      try {
        await session.run(feeds, [target]);
      } finally {
        for (const tensor of [...feeds, target]) runtime.releaseTensor(tensor);
      }
      return values;
    },
    [Symbol.dispose]: () => session.release(),
  };
}
