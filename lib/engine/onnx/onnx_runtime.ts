/**
 * ONNX Runtime's C API through Deno FFI, using the library of the npm package `onnxruntime-node`.
 *
 * The package's own JavaScript binding copies all outputs of every run and blocks the thread. The C API writes to
 * memory of the caller and can run off the main thread. Function numbers are positions in `struct OrtApi` of
 * onnxruntime_c_api.h, which is append-only, so they are valid for all later versions.
 * @module
 */
import { RefusalError } from "@/engine/errors.ts";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { describeSystem } from "../system.ts";

/** The requested version of the C API; ONNX Runtime 1.22 and all later releases provide it. */
const API_VERSION = 22;

const POINTER = "pointer" as const;

/** Position in `struct OrtApi` and signature of each function in use. */
const FUNCTIONS = {
  getErrorMessage: [2, ["pointer"], "pointer"],
  createEnv: [3, ["i32", "buffer", "buffer"], "pointer"],
  createSessionFromArray: [8, ["pointer", "buffer", "usize", "pointer", "buffer"], "pointer"],
  createSessionOptions: [10, ["buffer"], "pointer"],
  disableMemoryPattern: [17, ["pointer"], "pointer"],
  setOptimizationLevel: [23, ["pointer", "i32"], "pointer"],
  setIntraOpThreads: [24, ["pointer", "i32"], "pointer"],
  createTensor: [
    49,
    ["pointer", "pointer", "usize", "buffer", "usize", "i32", "buffer"],
    "pointer",
  ],
  createCpuMemoryInfo: [69, ["i32", "i32", "buffer"], "pointer"],
  releaseStatus: [93, ["pointer"], "void"],
  releaseSession: [95, ["pointer"], "void"],
  releaseValue: [96, ["pointer"], "void"],
  releaseSessionOptions: [100, ["pointer"], "void"],
  addSessionConfigEntry: [130, ["pointer", "buffer", "buffer"], "pointer"],
  createAndRegisterAllocator: [144, ["pointer", "pointer", "pointer"], "pointer"],
} as const satisfies Record<
  string,
  readonly [number, readonly Deno.NativeType[], Deno.NativeResultType]
>;

/** `OrtApi::Run`: session, options, input names, inputs, number of inputs, output names, number of outputs, outputs. */
const RUN_INDEX = 9;
const RUN_PARAMETERS = [
  POINTER,
  POINTER,
  "buffer",
  "buffer",
  "usize",
  "buffer",
  "usize",
  "buffer",
] as const;

/** ONNX's codes for element types (onnx.proto, TensorProto.DataType). */
export const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
} as const;
/** Element types that are passed to ONNX Runtime. */
export type ElementType = keyof typeof ELEMENT_TYPES;

/**
 * Optimizations of ONNX Runtime that lose outputs. GemmTransposeFusion (seen in 1.30 and 1.32) fuses a transposed
 * operand, a matrix product and a transpose, even if the product itself is an output; the memory of that output is
 * then never written. Disabling it costs nothing: our matrix products have transposes as flags, so it found nothing to
 * fuse in a training step.
 */
const LOSSY_OPTIMIZATIONS = "GemmTransposeFusion";

type NativeFunction = (...args: unknown[]) => Deno.PointerValue;

/** A loaded ONNX Runtime, which creates sessions. */
export type OnnxRuntime = {
  readonly version: string;
  /**
   * Compiles a serialized ONNX model; takes about 0.2 ms per node.
   *
   * @param names Names of inputs and outputs in the order in which they are passed. Default: `i0 i1 …` and `o0 o1 …`.
   */
  createSession(
    model: Uint8Array<ArrayBuffer>,
    threads: number,
    names?: OnnxNames,
  ): OnnxSession;
  /** Creates a tensor on memory of the caller, which must outlive it. Release it with `releaseTensor`. */
  createTensor(
    bytes: Uint8Array<ArrayBuffer>,
    type: ElementType,
    shape: readonly number[],
  ): Deno.PointerObject;
  releaseTensor(tensor: Deno.PointerObject): void;
};

/** Names of a model's inputs and outputs. */
type OnnxNames = { readonly inputs: readonly string[]; readonly outputs: readonly string[] };

/** A compiled model. Inputs and outputs are tensors in the order of the session's names. */
export type OnnxSession = {
  runSync(inputs: readonly Deno.PointerObject[], outputs: readonly Deno.PointerObject[]): void;
  /** Like `runSync`, but off the main thread. The tensors must stay alive until the promise settles. */
  run(inputs: readonly Deno.PointerObject[], outputs: readonly Deno.PointerObject[]): Promise<void>;
  release(): void;
};

/** A C string. */
function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0") as Uint8Array<ArrayBuffer>;
}

/** A C array of pointers. */
function pointerArray(pointers: readonly Deno.PointerValue[]): BigUint64Array<ArrayBuffer> {
  return BigUint64Array.from(pointers, (pointer) => Deno.UnsafePointer.value(pointer));
}

/** Path of the runtime's library inside the npm package, for this system. */
function findLibrary(): string {
  const home = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const folder = join(home, "bin", "napi-v6", process.platform, process.arch);
  const { onnxRuntime } = describeSystem();
  for (const { name } of Deno.readDirSync(folder)) {
    if (onnxRuntime.test(name)) return join(folder, name);
  }
  throw new Deno.errors.NotFound(
    `Cannot load ONNX Runtime: onnxruntime-node has no library for this system in ${folder}`,
  );
}

let loaded: OnnxRuntime | undefined;

/** Loads the library, once per process. */
export function loadOnnxRuntime(): OnnxRuntime {
  loaded ??= load();
  return loaded;
}

function load(): OnnxRuntime {
  const library = Deno.dlopen(findLibrary(), {
    OrtGetApiBase: { parameters: [], result: "pointer" },
  });
  const base = library.symbols.OrtGetApiBase();
  if (base === null) throw new Error("internal: OrtGetApiBase returned null");
  const baseView = new Deno.UnsafePointerView(base);
  const functionAt = (view: Deno.UnsafePointerView, index: number) => {
    const pointer = view.getPointer(8 * index);
    if (pointer === null) throw new Error(`internal: ONNX Runtime lacks C function ${index}`);
    return pointer as Deno.PointerObject<never>;
  };
  const getApi = new Deno.UnsafeFnPointer(
    functionAt(baseView, 0),
    { parameters: ["u32"], result: "pointer" } as const,
  );
  const getVersion = new Deno.UnsafeFnPointer(
    functionAt(baseView, 1),
    { parameters: [], result: "pointer" } as const,
  );
  const api = getApi.call(API_VERSION);
  const versionPointer = getVersion.call();
  if (api === null || versionPointer === null) {
    throw new Error(
      `Cannot use ONNX Runtime: it does not support version ${API_VERSION} of its C API`,
    );
  }
  const apiView = new Deno.UnsafePointerView(api);

  const calls = Object.fromEntries(
    Object.entries(FUNCTIONS).map(([name, [index, parameters, result]]) => {
      const call = new Deno.UnsafeFnPointer(functionAt(apiView, index), { parameters, result });
      return [name, call.call.bind(call) as unknown as NativeFunction];
    }),
  ) as Record<keyof typeof FUNCTIONS, NativeFunction>;
  const runBlocking = new Deno.UnsafeFnPointer(
    functionAt(apiView, RUN_INDEX),
    { parameters: RUN_PARAMETERS, result: "pointer" } as const,
  );
  const runBeside = new Deno.UnsafeFnPointer(
    functionAt(apiView, RUN_INDEX),
    { parameters: RUN_PARAMETERS, result: "pointer", nonblocking: true } as const,
  );

  /** Throws the message of a status; a null status means success. */
  function check(status: Deno.PointerValue): void {
    if (status === null) return;
    const message = calls.getErrorMessage(status);
    const text = message === null ? "no message" : Deno.UnsafePointerView.getCString(message);
    calls.releaseStatus(status);
    throw new RefusalError(`ONNX Runtime: ${text}`);
  }
  /** Calls a function that returns a pointer through its last argument. */
  function create(call: NativeFunction, ...args: unknown[]): Deno.PointerObject {
    const slot = new BigUint64Array(1);
    check(call(...args, slot));
    const pointer = Deno.UnsafePointer.create(slot[0] ?? 0n);
    if (pointer === null) throw new Error("internal: ONNX Runtime returned a null pointer");
    return pointer;
  }

  const FATAL = 4; // ORT_LOGGING_LEVEL_FATAL: every other failure comes back as a status, which is thrown
  const environment = create(calls.createEnv, FATAL, encodeText("sentence-transformer"));
  const memory = create(calls.createCpuMemoryInfo, 0, 0); // device allocator, default memory
  // All sessions share one arena: a training run has about a dozen programs, of which one runs at a time.
  const arenaMemory = create(calls.createCpuMemoryInfo, 1, 0);
  check(calls.createAndRegisterAllocator(environment, arenaMemory, null));

  return {
    version: Deno.UnsafePointerView.getCString(versionPointer),
    createTensor(bytes, type, shape) {
      const dimensions = BigInt64Array.from(shape, BigInt);
      const pointer = bytes.byteLength === 0 ? null : Deno.UnsafePointer.of(bytes);
      const { byteLength } = bytes;
      return create(
        calls.createTensor,
        memory,
        pointer,
        byteLength,
        dimensions,
        shape.length,
        ELEMENT_TYPES[type],
      );
    },
    releaseTensor: (tensor) => void calls.releaseValue(tensor),
    createSession(model, threads, given) {
      const options = create(calls.createSessionOptions);
      check(calls.setIntraOpThreads(options, threads));
      check(calls.setOptimizationLevel(options, 1)); // the graph is already optimized, and level 2 takes a second
      for (
        const [key, value] of [
          ["session.use_env_allocators", "1"],
          ["session.force_spinning_stop", "1"], // otherwise idle thread pools of other programs keep a core busy
          ["optimization.disable_specified_optimizers", LOSSY_OPTIMIZATIONS],
        ] as const
      ) check(calls.addSessionConfigEntry(options, encodeText(key), encodeText(value)));
      const session = create(
        calls.createSessionFromArray,
        environment,
        model,
        model.byteLength,
        options,
      );
      calls.releaseSessionOptions(options);
      return openSession(session, given);
    },
  };

  function openSession(session: Deno.PointerObject, given?: OnnxNames): OnnxSession {
    const names = new Map<string, { text: Uint8Array[]; array: BigUint64Array<ArrayBuffer> }>();
    /** Names of the first `count` inputs or outputs as a cached array of C strings. */
    const namesOf = (prefix: "i" | "o", count: number) => {
      const key = prefix + count;
      let known = names.get(key);
      if (known === undefined) {
        const own = prefix === "i" ? given?.inputs : given?.outputs;
        const text = Array.from({ length: count }, (_, i) => encodeText(own?.[i] ?? prefix + i));
        known = { text, array: pointerArray(text.map((t) => Deno.UnsafePointer.of(t))) };
        names.set(key, known);
      }
      return known.array;
    };
    type RunArguments = Parameters<typeof runBlocking.call>;
    const argumentsOf = (
      inputs: readonly Deno.PointerObject[],
      outputs: readonly Deno.PointerObject[],
    ): RunArguments => [
      session,
      null,
      namesOf("i", inputs.length),
      pointerArray(inputs),
      BigInt(inputs.length),
      namesOf("o", outputs.length),
      BigInt(outputs.length),
      pointerArray(outputs),
    ];
    return {
      runSync: (inputs, outputs) => check(runBlocking.call(...argumentsOf(inputs, outputs))),
      async run(inputs, outputs) {
        const args = argumentsOf(inputs, outputs);
        check(await runBeside.call(...args));
        void args; // keeps the arguments alive during the run
      },
      release: () => void calls.releaseSession(session),
    };
  }
}
