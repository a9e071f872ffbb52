/**
 * Opens an exported graph with ONNX Runtime. Shapes: T tokens, D hidden, E embedding, C labels.
 * @module
 */
import { openSavedGraph, type SavedGraph } from "@/engine/onnx/saved_graph.ts";
import type { RunGraph } from "@/eval/graph_model.ts";
import { readBytes, requireContent } from "@/system/files.ts";
import { GRAPH_INPUTS, HIDDEN_STATES, logitsName, SENTENCE_EMBEDDING } from "@/model/onnx_names.ts";
import type { ModelTask } from "@/model/multi_task.ts";

/** ONNX Runtime version and settings, for records. */
export type GraphExecutor = {
  readonly name: "onnx";
  readonly version: string;
  readonly threads: number;
};

/** An opened graph; declare it with `using`. */
type OpenedGraph = Disposable & {
  readonly runGraph: RunGraph;
  readonly executor: GraphExecutor;
};

/** Output sizes of a graph, and the number of threads to run it with. */
type GraphShape = {
  /** D: columns of the hidden states. */
  readonly hidden: number;
  /** E: columns of the embeddings. */
  readonly size: number;
  readonly tasks: readonly ModelTask[];
  /** The number of CPU threads by default. */
  readonly threads?: number | undefined;
};

/** Reads a graph file. Throws if it is a placeholder, such as a Git LFS pointer. */
export async function readGraph(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const what = "exported graph", bytes = await readBytes(path, what);
  requireContent(bytes, path, what);
  return bytes;
}

/** Opens a graph from the bytes of its file with some runtime. */
export type OpenGraph = (
  bytes: Uint8Array<ArrayBuffer>,
  shape: GraphShape,
) => OpenedGraph | Promise<OpenedGraph>;

/** Names of the outputs that are read from a graph. */
export function graphOutputs(tasks: readonly ModelTask[]): readonly string[] {
  return [HIDDEN_STATES, SENTENCE_EMBEDDING, ...tasks.map(({ name }) => logitsName(name))];
}

/** Opens a graph from the bytes of its file. */
export function openGraph(
  bytes: Uint8Array<ArrayBuffer>,
  { threads = navigator.hardwareConcurrency, ...shape }: GraphShape,
): OpenedGraph {
  const outputs = graphOutputs(shape.tasks);
  const graph = openSavedGraph(bytes, { inputs: GRAPH_INPUTS, outputs, threads });
  return wrapGraph(graph, { ...shape, threads });
}

/** Runs an opened ONNX file, whose outputs are those of {@link graphOutputs}, on token ids. */
export function wrapGraph(
  graph: SavedGraph,
  { hidden, size, tasks, threads }: GraphShape & { readonly threads: number },
): OpenedGraph {
  const names = graphOutputs(tasks);
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

/** Opens a graph with `open` and runs it once on `ids`; throws if that fails. */
export async function openCheckedGraph(
  open: OpenGraph,
  path: string,
  ids: Int32Array,
  shape: GraphShape,
): Promise<OpenedGraph> {
  const bytes = await readGraph(path);
  let opened: OpenedGraph | undefined;
  try {
    opened = await open(bytes, shape);
    await opened.runGraph(ids);
    return opened;
  } catch (error) {
    opened?.[Symbol.dispose]();
    throw new RangeError(
      `Cannot run ${path} with ONNX Runtime. It must be a graph written by \`deno task export\`, with the tasks and ` +
        "labels of the heads.json beside it; export the model again",
      { cause: error },
    );
  }
}
