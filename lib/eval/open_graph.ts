/**
 * An exported graph, opened by ONNX Runtime. Shapes: T tokens, D hidden, E embedding, C labels.
 * @module
 */
import { openSavedGraph } from "@/engine/onnx/saved_graph.ts";
import type { RunGraph } from "@/eval/graph_model.ts";
import { readBytes, requireContent } from "@/files.ts";
import { GRAPH_INPUTS, HIDDEN_STATES, logitsName, SENTENCE_EMBEDDING } from "@/model/onnx_names.ts";
import type { ModelTask } from "@/model/parameters.ts";

/** ONNX Runtime as it computes a graph, for records. */
export type GraphExecutor = {
  readonly name: "onnx";
  readonly version: string;
  readonly threads: number;
};

/** An opened graph; declare it with `using`. */
export type OpenedGraph = Disposable & {
  readonly runGraph: RunGraph;
  readonly executor: GraphExecutor;
};

/** What a graph gives, and how it is computed. */
export type GraphShape = {
  /** D: columns of hidden states. */
  readonly hidden: number;
  /** E: columns of embeddings. */
  readonly size: number;
  readonly tasks: readonly ModelTask[];
  /** By default as many as the machine has. */
  readonly threads?: number | undefined;
};

/** The bytes of a graph file; a file that something else stands in for is refused. */
export async function readGraph(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const what = "exported graph", bytes = await readBytes(path, what);
  requireContent(bytes, path, what);
  return bytes;
}

/** Opens the graph with the content `bytes`. */
export function openGraph(
  bytes: Uint8Array<ArrayBuffer>,
  { hidden, size, tasks, threads = navigator.hardwareConcurrency }: GraphShape,
): OpenedGraph {
  const names = [HIDDEN_STATES, SENTENCE_EMBEDDING, ...tasks.map(({ name }) => logitsName(name))];
  const graph = openSavedGraph(bytes, { inputs: GRAPH_INPUTS, outputs: names, threads });
  return {
    executor: { name: "onnx", version: graph.version, threads },
    async runGraph(ids) {
      const shape = [1, ids.length];
      const values = await graph.run(
        [
          { data: BigInt64Array.from(ids, BigInt), shape },
          { data: new BigInt64Array(ids.length).fill(1n), shape },
        ],
        [
          [...shape, hidden],
          [1, size],
          ...tasks.map(({ kind, labels }) =>
            kind === "tagging" ? [...shape, labels.length] : [1, labels.length]
          ),
        ],
      );
      return new Map(names.map((name, i) => [name, values[i] ?? new Float32Array()]));
    },
    [Symbol.dispose]: () => graph[Symbol.dispose](),
  };
}

/** {@link openGraph}, which is tried with the tokens of a text; a graph that fails is refused. */
export async function openCheckedGraph(
  path: string,
  ids: Int32Array,
  shape: GraphShape,
): Promise<OpenedGraph> {
  const bytes = await readGraph(path);
  let opened: OpenedGraph | undefined;
  try {
    opened = openGraph(bytes, shape);
    await opened.runGraph(ids);
    return opened;
  } catch (error) {
    opened?.[Symbol.dispose]();
    throw new RangeError(
      `Cannot open model as ${path} must be a graph that \`deno task export\` wrote, with the tasks and ` +
        "labels of heads.json beside it: ONNX Runtime cannot run it so; export the model again",
      { cause: error },
    );
  }
}
