/**
 * Runs an ONNX file in Node.js with the JavaScript API of `onnxruntime-node`, behind the interface of
 * `saved_graph.ts`. Deno uses FFI instead, which does not block the event loop.
 * @module
 */
import type { SavedGraph } from "@/engine/onnx/saved_graph.ts";
import { env, InferenceSession, Tensor } from "onnxruntime-node";

/** Opens the ONNX file with content `model`; `inputs` and `outputs` are names in the order in which values are passed. */
export async function openNodeGraph(
  model: Uint8Array<ArrayBuffer>,
  { inputs, outputs, threads }: {
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly threads: number;
  },
): Promise<SavedGraph> {
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: threads,
    graphOptimizationLevel: "basic", // as with FFI, so that numbers agree
    logSeverityLevel: 4,
  });
  return {
    version: env.versions.node ?? env.versions.common,
    async run(given) {
      const feeds = given.map(({ data, shape }, i) =>
        [inputs[i] ?? "", new Tensor("int64", data, shape)] as const
      );
      const found = await session.run(Object.fromEntries(feeds), [...outputs]);
      return outputs.map((name) => {
        const data = found[name]?.data;
        if (data instanceof Float32Array && data.buffer instanceof ArrayBuffer) {
          return new Float32Array(data);
        }
        throw new TypeError(`internal: the graph's output ${name} is not float32`);
      });
    },
    [Symbol.dispose]: () => void session.release(),
  };
}
