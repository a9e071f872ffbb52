/**
 * The recording backend: a TensorFlow.js backend whose kernels append nodes to a tape instead of computing.
 * Reading a tensor compiles and runs the operations that it needs.
 *
 * There is one tape at a time: the eager tape, or the tape of the function that `jit` is tracing.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Executor, Program } from "./executor.ts";
import { type Graph, graphKey, makeGraph } from "./graph.ts";
import type { DType, Node } from "./ir.ts";
import { RecentPrograms } from "./program_store.ts";
import { copyElements } from "./memory.ts";
import { RefusalError } from "@/engine/errors.ts";
import { equalShapes, Tape } from "./tape.ts";
import { timeRuns } from "./timing.ts";
import { TracedPrograms } from "./traced_programs.ts";
import { ForeignValue, Value } from "./value.ts";

/** Operations that have been recorded and not run yet: a tape with the values of its leaves. */
type Recording = {
  readonly tape: Tape;
  /** Values that leaves stand for, by leaf number. */
  readonly leaves: Value[];
  readonly leafNodes: Map<Value, Node>;
  /** Inside `jit`: its name. Tensors made from numbers are constants there. */
  readonly traced: string | null;
};

/** An empty recording; `traced` is the name of the `jit` that it is for. */
export function newRecording(traced: string | null): Recording {
  return { tape: new Tape(), leaves: [], leafNodes: new Map(), traced };
}

/** Name under which TensorFlow.js knows the backend. */
export const BACKEND = "recorded";

/** Number of pending nodes at which an eager computation runs, so that a long loop does not accumulate them. */
const MOST_PENDING = 4000;

/** Number of eager programs that are cached; the least recently used is evicted. */
const MOST_PROGRAMS = 256;

const DTYPES: ReadonlySet<string> = new Set(["float32", "int32", "bool"] satisfies DType[]);

/** Records the operations that TensorFlow.js calls, and runs them when a value is read. */
export class RecordingBackend extends tf.KernelBackend {
  recording: Recording = newRecording(null);
  /** Settles when the last compiled call that runs or waits has ended; reads wait for it. */
  inFlight: Promise<void> = Promise.resolve();
  /** Number of compiled calls that run or wait. */
  busy = 0;
  #pending = new Set<Value>();
  #programs = new RecentPrograms(MOST_PROGRAMS);
  #live = 0;

  /** The programs of `jit`. */
  readonly traced: TracedPrograms;

  /** `executor` runs single operations, and also compiled programs until `traced` gets another executor. */
  constructor(readonly executor: Executor) {
    super();
    this.traced = new TracedPrograms(executor, "float32");
  }

  override floatPrecision() {
    return 32 as const;
  }
  override epsilon() {
    return 1e-7;
  }
  override timerAvailable() {
    return false;
  }
  override numDataIds(): number {
    return this.#live;
  }
  override refCount(dataId: object): number {
    return (dataId as Value).references;
  }
  override incRef(dataId: object): void {
    (dataId as Value).references++;
  }
  decRef(dataId: object): void {
    (dataId as Value).references--;
  }
  override memory() {
    return { unreliable: false } as { unreliable: boolean };
  }

  /** Copies elements into the engine's memory, or makes them a constant while tracing. */
  override write(
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
  ): object {
    this.#live++;
    if (!DTYPES.has(dtype)) {
      const host = tf.engine().findBackend("cpu");
      return new ForeignValue(host.write(values, shape, dtype), dtype);
    }
    const value = new Value([...shape], dtype as DType);
    const { recording } = this;
    if (recording.traced !== null) {
      const copy = copyElements(values as ArrayLike<number>, value.dtype);
      value.node = recording.tape.data(copy, shape, value.dtype);
    } else if (values) {
      const elements = value.allocate().elements(value.dtype);
      if (elements.length === values.length) elements.set(values as ArrayLike<number>);
    } else value.allocate();
    return value;
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    throw new Error(
      `internal: TensorFlow.js moved ${dtype} [${shape}] (${values.length}, ${references}) to ${typeof dataId}`,
    );
  }

  override disposeData(dataId: object, force = false): boolean {
    const value = dataId as Value | ForeignValue;
    value.references--;
    if (!force && value.references > 0) return false;
    this.#live--;
    if (value instanceof ForeignValue) {
      tf.engine().findBackend("cpu").disposeData(value.dataId);
    } else this.#pending.delete(value);
    return true;
  }

  /** Counts a value that was created elsewhere as one of this backend's. */
  adopt(_value: Value): void {
    this.#live++;
  }

  /** Adopts elements that TensorFlow.js's `cpu` backend holds. */
  adoptForeign(dataId: object, dtype: tf.DataType): ForeignValue {
    this.#live++;
    return new ForeignValue(dataId, dtype);
  }

  /** The tensor of a new node. */
  record(node: Node): tf.TensorInfo {
    const value = new Value(node.shape, node.dtype);
    value.node = node;
    this.#live++;
    if (this.recording.traced === null) this.#pending.add(value);
    return { dataId: value, shape: [...node.shape], dtype: node.dtype };
  }

  /** The node of a tensor on the current tape. */
  nodeOf({ dataId, shape }: tf.TensorInfo): Node {
    const { tape, leaves, leafNodes, traced } = this.recording;
    const value = dataId;
    if (!(value instanceof Value)) {
      const type = value instanceof ForeignValue ? value.dtype : typeof value;
      throw new TypeError(
        `Cannot compute as a tensor must hold numbers or booleans: current type is ${type}`,
      );
    }
    if (value.failure !== null) throw value.failure;
    let node = value.node;
    if (node === null) {
      node = leafNodes.get(value) ?? null;
      if (node === null) {
        node = tape.leaf(leaves.length, value.shape, value.dtype);
        leaves.push(value);
        leafNodes.set(value, node);
      }
    } else if (traced === null && !this.#pending.has(value)) {
      throw new Error("Cannot read a tensor that was created inside jit and not returned");
    }
    return equalShapes(node.shape, shape) ? node : tape.reshape(node, shape);
  }

  /** Values that occur in a tensor if they are known without computing; else null. */
  knownValues({ dataId }: tf.TensorInfo): ArrayLike<number> | null {
    if (!(dataId instanceof Value)) return null;
    const operation = dataId.node?.operation;
    if (operation?.kind === "data") return operation.data;
    if (operation?.kind === "constant") return [operation.value];
    const isReady = dataId.node === null && dataId.memory !== null;
    return isReady && this.recording.traced === null ? dataId.elements() : null;
  }

  /** Runs the eager tape: computes every value that is alive and not computed yet. */
  flush(): void {
    const { recording } = this;
    if (recording.traced !== null) {
      throw new Error(`Cannot read a tensor inside jit("${recording.traced}"): return it instead`);
    }
    if (this.#pending.size === 0) {
      if (recording.tape.size > 0) this.recording = newRecording(null);
      return;
    }
    const values = [...this.#pending];
    this.#pending.clear();
    try {
      this.#compute(values);
    } catch (error) {
      // One by one, so that an operation that refuses its operands affects only the values that need it.
      if (error instanceof RefusalError) { for (const value of values) this.#computeAlone(value); }
      else for (const value of values) value.fail(error);
    }
    for (const value of values) value.node = null;
    this.recording = newRecording(null);
  }

  /** Computes the nodes that `values` need and fills them. */
  #compute(values: readonly Value[]): void {
    const { leafNodes, leaves } = this.recording;
    const outputs = values.map(({ node }) => ({ node: node as Node, target: null }));
    this.compile(makeGraph("eager", [...leafNodes.values()], outputs)).runSync(
      leaves.map((value) => value.allocate()),
      values.map((value) => value.allocate()),
    );
  }

  #computeAlone(value: Value): void {
    try {
      this.#compute([value]);
    } catch (error) {
      value.fail(error);
    }
  }

  /** The program for a graph, compiled at once; equal graphs share one. */
  compile(graph: Graph): Program {
    return this.#programs.use(graphKey(graph), () => timeRuns(this.executor.compile(graph)));
  }

  /**
   * Runs `work` exclusively, because programs share an arena and write memory that others read. Reads wait until
   * it has ended.
   */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    const working = this.busy++ === 0 ? work() : this.inFlight.then(work);
    this.inFlight = working.then(() => {}, () => {});
    try {
      return await working;
    } finally {
      this.busy--;
    }
  }

  /** Runs a long eager tape, so that a loop that never reads does not grow without bound. */
  flushIfLong(): void {
    const { tape, traced } = this.recording;
    if (traced === null && tape.size > MOST_PENDING && this.busy === 0) this.flush();
  }

  /** Milliseconds that `run` takes, tracing included. */
  override time(run: () => void): Promise<tf.BackendTimingInfo> {
    const startMs = performance.now();
    run();
    this.flush();
    return Promise.resolve({ kernelMs: performance.now() - startMs });
  }

  /** Releases the programs of single operations; TensorFlow.js calls it when it disposes of a backend. */
  override dispose(): void {
    this.#programs.clear();
    this.#pending.clear();
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    if (dataId instanceof ForeignValue) {
      return tf.engine().findBackend("cpu").readSync(dataId.dataId);
    }
    if (this.busy > 0 && this.recording.traced === null) {
      throw new Error(
        "Cannot read a tensor synchronously while a compiled call is running: await the call first",
      );
    }
    const value = dataId as Value;
    if (value.node !== null || value.memory === null) this.flush();
    return value.elements().slice();
  }

  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    while (this.busy > 0) await this.inFlight;
    return this.readSync(dataId);
  }
}
