/**
 * Where the time of a training step goes, by kind of pass.
 * @module
 */
import { PASS_KINDS, type PassKind, type ProgramProfile } from "@/engine/profile.ts";

/** Kinds of passes as a step has them, and what each is. */
export const STEP_KINDS = {
  ...PASS_KINDS,
  optimizer: "all of the update: norm of the gradients, clipping, AdamW, gradients cleared",
} as const satisfies Record<PassKind | "optimizer", string>;
/** One of {@link STEP_KINDS}. */
export type StepKind = keyof typeof STEP_KINDS;

/** What the passes of one kind do in a step, on average. */
export type KindTotals = {
  readonly kind: StepKind;
  readonly ms: number;
  /** Multiplications and additions of products. */
  readonly flops: number;
  /** Bytes of the values that passes read and write, each counted once a pass. */
  readonly bytes: number;
};

/** The mean step, all of it: the milliseconds of `kinds` and the two that follow are `stepMs`. */
export type StepProfile = {
  readonly stepMs: number;
  readonly kinds: readonly KindTotals[];
  /** In calls of programs but in no pass: binding memory, waking threads. */
  readonly dispatchMs: number;
  /** Outside of programs: JavaScript. */
  readonly javascriptMs: number;
};

/** Name of the program that moves the parameters. */
const UPDATE = "update";

/** Adds up what programs did in `steps` steps that took `totalMs`, of which `runMs` in programs. */
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
  const passMs = kinds.reduce((sum, { ms }) => sum + ms, 0);
  return {
    stepMs: totalMs / steps,
    kinds,
    dispatchMs: runMs / steps - passMs,
    javascriptMs: (totalMs - runMs) / steps,
  };
}

/** The mean of profiles of the same step from several processes; undefined of none. */
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
    dispatchMs: mean(({ dispatchMs }) => dispatchMs),
    javascriptMs: mean(({ javascriptMs }) => javascriptMs),
  };
}
