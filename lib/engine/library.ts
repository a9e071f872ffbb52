/**
 * TensorFlow.js, compiled: the engine as a library. Code written in `tf.*` operations runs unchanged; a function given to
 * {@link jit} is traced once and compiled to C, or to a graph of ONNX Runtime where the system has no C compiler.
 *
 * `lib/engine/spirals_example.ts` trains a network with it, beside TensorFlow.js's own backend.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { jit, openEngine } from "@/engine/library.ts";
 * await openEngine();
 * const normalize = jit("normalize", ({ x }: { x: tf.Tensor2D }) => ({ y: tf.softmax(x) }));
 * const { y } = await normalize({ x: tf.tensor2d([[1, 1]]) });
 * await y.array(); // [[0.5, 0.5]]
 * normalize.release();
 * ```
 * @module
 */
export { currentEngine, type OpenedEngine, openEngine } from "./engine.ts";
export {
  type Device,
  DEVICES,
  type EngineOptions,
  type ExecutorChoice,
  EXECUTORS,
  type Isa,
  ISAS,
  type Precision,
  PRECISIONS,
} from "./options.ts";
export {
  type CompileListener,
  jit,
  type JitOptions,
  type Jitted,
  onCompile,
  type TensorMap,
} from "./jit.ts";
export { formatInspection } from "./inspect/format_text.ts";
export {
  type Compiler,
  type InspectableFunction,
  type Inspection,
  type NamedSizes,
  onProgram,
  type ProgramListener,
} from "./inspect/inspection.ts";
export type {
  GraphStage,
  Group,
  GroupedNode,
  InstructionLine,
  KernelLine,
  MemoryBlock,
  MemoryPlan,
  NodeLine,
  OperandLine,
  OutputLine,
  PointerLine,
  ProgramStages,
} from "./inspect/stages.ts";
export type { DynamicAxes, DynamicDimensions } from "./dynamic_dimensions.ts";
export { inRegion } from "./tape.ts";
export { type Fallback, listFallbacks } from "./fallbacks.ts";
export { dropout, type DropoutOptions, gelu, layerNorm } from "./neural.ts";
export {
  type Pass,
  PASS_KINDS,
  type PassKind,
  type ProgramProfile,
  startProfile,
  stopProfile,
  takeProfile,
  type Work,
} from "./profile.ts";
