/**
 * Predictions by an exported file, through the same batches as training's own: what tells how well it
 * does. Shapes: B rows, T pieces, C labels.
 * @module
 */
import { openSavedGraph } from "@/engine/onnx/saved_graph.ts";
import type { Predictor, PredictorOptions } from "@/eval/predict_examples.ts";
import { softmaxRowsInto } from "@/eval/probabilities.ts";
import { logitsName } from "@/model/onnx_names.ts";
import type { ModelTask } from "@/model/parameters.ts";
import { collate } from "@/text/batches.ts";
import { planBatches } from "@/text/plan_batches.ts";

/** A predictor that holds a file open. */
export type GraphPredictor = Predictor & Disposable;

/** Whole numbers as ONNX takes them. */
function toLong(values: Int32Array): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(values, BigInt);
}

/** A predictor for `task` over the content of an exported file. */
export function createGraphPredictor(
  graph: Uint8Array<ArrayBuffer>,
  { name, kind, labels }: ModelTask,
  { lengths, padId, clsId, rows = 64, threads }: PredictorOptions & { readonly threads: number },
): GraphPredictor {
  const inputs = ["input_ids", "attention_mask"];
  const session = openSavedGraph(graph, { inputs, output: logitsName(name), threads });
  const classes = labels.length;
  return {
    labels,
    async predict(examples, onPredicted = () => {}) {
      const found = examples.map(() => new Float32Array(0));
      const sizes = examples.map(({ ids }) => ids.length);
      let done = 0;
      for (const plan of planBatches(sizes, { rows, lengths, prng: null })) {
        const { length, ids, mask } = collate(examples, plan, { padId, clsId });
        const shape = [plan.rows, length];
        const scores = await session.run(
          [{ data: toLong(ids), shape }, { data: toLong(mask), shape }],
          kind === "tagging" ? [plan.rows, length, classes] : [plan.rows, classes],
        );
        softmaxRowsInto(scores, classes);
        const stride = kind === "tagging" ? length * classes : classes;
        plan.examples.forEach((example, row) => {
          const pieces = kind === "tagging" ? sizes[example] ?? 0 : 1;
          found[example] = scores.slice(row * stride, row * stride + pieces * classes);
        });
        onPredicted(done += plan.examples.length, examples.length);
      }
      return found;
    },
    [Symbol.dispose]: () => session[Symbol.dispose](),
  };
}
