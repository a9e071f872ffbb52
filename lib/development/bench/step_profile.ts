/**
 * Time of a training step by kind of pass.
 * @module
 */
import { PASS_KINDS, type PassKind, type ProgramProfile } from "@/engine/profile.ts";

/** Kinds of passes in a step, with their descriptions. */
export const STEP_KINDS = {
  ...PASS_KINDS,
  optimizer: "the whole update: gradient norm, clipping, AdamW, clearing gradients",
} as const satisfies Record<PassKind | "optimizer", string>;
/** One of {@link STEP_KINDS}. */
export type StepKind = keyof typeof STEP_KINDS;

/** Averages per step over the passes of one kind. */
export type KindTotals = {
  readonly kind: StepKind;
  readonly ms: number;
  /** Multiplications and additions of matrix products. */
  readonly flops: number;
  /** Bytes that passes read and write; each value counts once per pass. */
  readonly bytes: number;
};

/** Average per step over all calls of a generated kernel. */
export type KernelTotals = { readonly name: string; readonly ms: number };

/** Number of kernels that a profile names. */
const MOST_KERNELS = 8;

/** Profile of the average step. `stepMs` is the sum of the times of `kinds`, `dispatchMs` and `javascriptMs`. */
export type StepProfile = {
  readonly stepMs: number;
  readonly kinds: readonly KindTotals[];
  /** The generated kernels that take longest; absent in files of earlier versions. */
  readonly longest?: readonly KernelTotals[];
  /** Time inside program calls but outside passes: binding memory, waking threads. */
  readonly dispatchMs: number;
  /** Time outside program calls, in JavaScript. */
  readonly javascriptMs: number;
};

/** Name of the program that updates the parameters. */
const UPDATE = "update";

/** Averages the profiles of programs over `steps` steps that took `totalMs`, including `runMs` in programs. */
export function summarizeProfile(
  programs: readonly ProgramProfile[],
  { steps, totalMs, runMs }: {
    readonly steps: number;
    readonly totalMs: number;
    readonly runMs: number;
  },
): StepProfile {
  const passes = programs.flatMap(({ name, passes }) =>
    passes.map((pass) => ({ ...pass, kind: name === UPDATE ? "optimizer" as const : pass.kind }))
  );
  const kinds = (Object.keys(STEP_KINDS) as StepKind[]).flatMap((kind): KindTotals[] => {
    const own = passes.filter((pass) => pass.kind === kind);
    const mean = (of: (pass: typeof passes[number]) => number) =>
      own.reduce((sum, pass) => sum + of(pass), 0) / steps;
    return own.length === 0 ? [] : [{
      kind,
      ms: mean(({ seconds }) => 1000 * seconds),
      flops: mean(({ flops }) => flops),
      bytes: mean(({ bytes }) => bytes),
    }];
  });
  const kernels = new Map<string, number>();
  for (const { kernel, seconds } of passes) {
    if (kernel !== null) kernels.set(kernel, (kernels.get(kernel) ?? 0) + 1000 * seconds / steps);
  }
  const longest = [...kernels].map(([name, ms]) => ({ name, ms }))
    .sort((a, b) => b.ms - a.ms).slice(0, MOST_KERNELS);
  const passMs = kinds.reduce((sum, { ms }) => sum + ms, 0);
  return {
    stepMs: totalMs / steps,
    kinds,
    longest,
    dispatchMs: runMs / steps - passMs,
    javascriptMs: (totalMs - runMs) / steps,
  };
}

/** Mean of profiles of the same step from several processes; undefined if there are none. */
export function averageProfiles(profiles: readonly StepProfile[]): StepProfile | undefined {
  const [first] = profiles;
  if (first === undefined) return undefined;
  const mean = (of: (profile: StepProfile) => number) =>
    profiles.reduce((sum, profile) => sum + of(profile), 0) / profiles.length;
  return {
    stepMs: mean(({ stepMs }) => stepMs),
    kinds: first.kinds.map((totals, i) => ({
      ...totals,
      ms: mean(({ kinds }) => kinds[i]?.ms ?? NaN),
    })),
    longest: (first.longest ?? []).map(({ name }) => {
      const times = profiles.flatMap(({ longest = [] }) =>
        longest.filter((kernel) => kernel.name === name).map(({ ms }) => ms)
      );
      return { name, ms: times.reduce((sum, ms) => sum + ms, 0) / times.length };
    }),
    dispatchMs: mean(({ dispatchMs }) => dispatchMs),
    javascriptMs: mean(({ javascriptMs }) => javascriptMs),
  };
}
