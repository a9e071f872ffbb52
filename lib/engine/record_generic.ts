/**
 * Generic tracing: a function traced once for all values of its dynamic dimensions, at two samples that must
 * agree in everything but sizes.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { RecordingBackend } from "@/engine/backend.ts";
import {
  chooseSamples,
  type DynamicDimensions,
  evaluateTerm,
  findTerms,
  namesOf,
  NotGenericError,
  shapeAt,
  type Sizes,
  type SizeTerm,
} from "@/engine/dynamic_dimensions.ts";
import { recordFallback } from "./fallbacks.ts";
import { isInspecting } from "@/engine/inspect/inspection.ts";
import { isRefusal } from "@/engine/errors.ts";
import {
  type InputInfo,
  releaseSources,
  type Source,
  trace,
  type Traced,
  type TracedFunction,
  type TracedOutput,
} from "@/engine/trace.ts";
import type { GenericPrograms } from "@/engine/traced_programs.ts";
import { type Bound, isInside } from "@/engine/views.ts";

/** A function compiled for all sizes. */
export type GenericFunction = Pick<Traced, "sources" | "updates"> & {
  readonly programs: GenericPrograms;
  /** The trace from which the programs were made, and its sizes; null unless the function is inspected. */
  readonly sample: { readonly traced: Traced; readonly sizes: Sizes } | null;
  outputsAt(sizes: Sizes): readonly TracedOutput[];
  /** True if the generic program is valid at these sizes. */
  servesAt(sizes: Sizes): boolean;
};

/**
 * Traces and compiles `run` for all values of its dynamic dimensions. Null if no form serves all of them, because
 * of limits or of the function's use of sizes; it must then be traced at each shape.
 *
 * @param inputs shapes and types of a call
 */
export async function recordGeneric(
  name: string,
  run: TracedFunction,
  { inputs, dynamic, backend }: {
    readonly inputs: ReadonlyMap<string, InputInfo>;
    readonly dynamic: DynamicDimensions;
    readonly backend: RecordingBackend;
  },
): Promise<GenericFunction | null> {
  const variables = Object.values(tf.engine().registeredVariables) as tf.Variable[];
  const constant = [...inputs].flatMap(([input, { shape }]) => dynamic.axes[input] ? [] : shape);
  const fixed = new Set([...variables.flatMap(({ shape }) => shape), ...constant]);
  let reason = "its dimensions have limits that leave no sizes to trace it at";
  for (const samples of chooseSamples(dynamic, fixed)) {
    try {
      return await recordSamples(name, run, { inputs, dynamic, backend, samples });
    } catch (error) {
      if (!(error instanceof NotGenericError)) throw error;
      reason = error.message;
    }
  }
  recordFallback({ subject: name, to: "a program for each shape", reason });
  return null;
}

/** {@link recordGeneric} with one pair of samples; throws a {@link NotGenericError}. */
async function recordSamples(
  name: string,
  run: TracedFunction,
  { inputs, dynamic, backend, samples }: {
    readonly inputs: ReadonlyMap<string, InputInfo>;
    readonly dynamic: DynamicDimensions;
    readonly backend: RecordingBackend;
    readonly samples: readonly [Sizes, Sizes];
  },
): Promise<GenericFunction> {
  const names = namesOf(dynamic);
  const recorded: Traced[] = [];
  const release = () => recorded.forEach(({ sources }) => releaseSources(sources, backend));
  for (const sizes of samples) {
    const sampled = new Map([...inputs].map(([input, { shape, dtype }]) => {
      const axes = dynamic.axes[input];
      return [input, { dtype, shape: axes ? [...shapeAt(axes, names, sizes)] : shape }];
    }));
    try {
      recorded.push(trace(name, run, sampled, backend));
    } catch (error) {
      release();
      // an error that the samples did not cause occurs again when the call's own sizes are traced
      if (!isRefusal(error)) throw error;
      throw new NotGenericError(`it rejects other sizes: ${error.message}`);
    }
  }
  const [one, other] = recorded as [Traced, Traced];
  const outputsAt = isSame(one, other) ? fitOutputs(one, other, samples) : null;
  const areInside = fitBounds(one, other, samples);
  if (outputsAt === null || areInside === null) {
    release();
    throw new NotGenericError(
      outputsAt === null
        ? "it reads or returns different tensors at different sizes"
        : "it slices or indexes differently at different sizes",
    );
  }
  let programs: GenericPrograms | null = null;
  try {
    programs = await backend.traced.compileGeneric([
      { graph: one.graph, sizes: samples[0] },
      { graph: other.graph, sizes: samples[1] },
    ]);
  } finally {
    if (programs === null) release();
  }
  releaseSources(other.sources, backend);
  const isWithin = (sizes: Sizes) =>
    names.every((name, i) => (sizes[i] as number) <= (dynamic.limits?.[name] ?? Infinity));
  return {
    ...{ sources: one.sources, updates: one.updates, programs, outputsAt },
    sample: isInspecting() ? { traced: one, sizes: samples[0] } : null,
    servesAt: (sizes) => isWithin(sizes) && areInside(sizes),
  };
}

/** True if two traces read the same values and update the same variables. */
function isSame(one: Traced, other: Traced): boolean {
  const sameSource = (a: Source, b: Source | undefined) => {
    switch (a.kind) {
      case "input":
        return b?.kind === "input" && a.name === b.name;
      case "variable":
        return b?.kind === "variable" && a.variable === b.variable;
      case "value":
        return b?.kind === "value" && a.value === b.value;
    }
  };
  return one.sources.length === other.sources.length &&
    one.sources.every((source, i) => sameSource(source, other.sources[i])) &&
    one.updates.length === other.updates.length &&
    one.updates.every(({ variable, input }, i) =>
      variable === other.updates[i]?.variable && input === other.updates[i]?.input
    );
}

/** The outputs at any sizes; null if those of the samples differ in more than sizes. */
function fitOutputs(
  one: Traced,
  other: Traced,
  samples: readonly [Sizes, Sizes],
): GenericFunction["outputsAt"] | null {
  if (one.outputs.length !== other.outputs.length) return null;
  const fitted = one.outputs.flatMap(({ name, dtype, shape }, i) => {
    const pair = other.outputs[i];
    if (pair?.name !== name || pair.dtype !== dtype) return [];
    const terms = findTerms(shape, pair.shape, samples);
    return terms === null ? [] : [{ name, dtype, terms }];
  });
  if (fitted.length !== one.outputs.length) return null;
  return (sizes) =>
    fitted.map(({ name, dtype, terms }) => ({
      ...{ name, dtype },
      shape: terms.map((term) => evaluateTerm(term, sizes)),
    }));
}

/** A check of the assumptions at any sizes; null if the samples made different assumptions. */
function fitBounds(
  one: Traced,
  other: Traced,
  samples: readonly [Sizes, Sizes],
): ((sizes: Sizes) => boolean) | null {
  const numbersOf = ({ size, offset, steps }: Bound) => [size, offset, ...steps.flat()];
  if (one.bounds.length !== other.bounds.length) return null;
  const fitted = new Map<string, readonly SizeTerm[]>();
  for (const [i, bound] of one.bounds.entries()) {
    const numbers = numbersOf(bound), pair = numbersOf(other.bounds[i] as Bound);
    const terms = findTerms(numbers, pair, samples);
    if (terms === null) return null;
    fitted.set(`${numbers};${pair}`, terms); // many are equal
  }
  return (sizes) =>
    [...fitted.values()].every((terms) => {
      const [size, offset, ...steps] = terms.map((term) => evaluateTerm(term, sizes));
      const pairs = steps.flatMap((count, k) =>
        k % 2 === 0 ? [[count, steps[k + 1] as number] as const] : []
      );
      return isInside({ size: size as number, offset: offset as number, steps: pairs });
    });
}
