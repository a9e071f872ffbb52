/**
 * Compares the environments of two runs (`environment.json`) to decide whether identical numbers are expected.
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { isObject } from "@/schema.ts";
import type { RunEnvironment } from "@/train/run_environment.ts";

/** An entry that differs between two environments. */
export type EnvironmentDifference = {
  /** For example `threads` or `versions.deno`. */
  readonly key: string;
  readonly then: unknown;
  readonly now: unknown;
};

/** Differences between two environments. */
type EnvironmentComparison = {
  /** Differences that affect rounding. If there are none, the same configuration must yield the same numbers. */
  readonly decisive: readonly EnvironmentDifference[];
  /** Package versions that differ. They usually do not affect numbers. */
  readonly packages: readonly EnvironmentDifference[];
};

/** Keys that affect rounding, besides the processor. */
const DECISIVE = ["device", "executor", "executorVersion", "threads", "system"] as const;

/** Compares the environment of the original run, `then`, with that of the reproduction. */
export function compareEnvironments(
  then: RunEnvironment,
  now: RunEnvironment,
): EnvironmentComparison {
  const differing = (keys: readonly string[], a: RunEnvironment, b: RunEnvironment) =>
    keys.filter((key) => !isDeepStrictEqual(a[key], b[key]))
      .map((key) => ({ key, then: a[key], now: b[key] }));
  const namesFlags = [then, now].every(({ cpu }) => isObject(cpu) && Array.isArray(cpu.flags));
  const [before, after] = [then, now].map((each) => ({
    ...each,
    cpu: nameProcessor(each.cpu, namesFlags),
    "resumed elsewhere": listMoves(each),
  }));
  const decisive = [...DECISIVE, "cpu", "resumed elsewhere"];
  const versions = [then, now].map((each) => isObject(each.versions) ? each.versions : {});
  const [old = {}, current = {}] = versions;
  const names = Object.keys(old).filter((name) => current[name] !== undefined);
  return {
    decisive: differing(decisive, before ?? {}, after ?? {}),
    packages: differing(names, old, current).map((each) => ({
      ...each,
      key: `versions.${each.key}`,
    })),
  };
}

/** Name of the processor, with its instruction sets if `flags`: on virtual machines, the name says little. */
function nameProcessor(cpu: unknown, flags: boolean): unknown {
  if (!isObject(cpu)) return cpu;
  return flags && Array.isArray(cpu.flags) ? `${cpu.model} (${cpu.flags.join(" ")})` : cpu.model;
}

/** Changes of environment when the run was resumed: the step and the keys that affect rounding. */
function listMoves({ resumed }: RunEnvironment): readonly string[] {
  if (!Array.isArray(resumed)) return [];
  return resumed.flatMap((entry: unknown) => {
    const { step, changed } = isObject(entry) ? entry : {};
    const keys = isObject(changed)
      ? Object.keys(changed).filter((key) => key === "cpu" || DECISIVE.some((each) => each === key))
      : [];
    return keys.length === 0 ? [] : [`step ${step}: ${keys.join(", ")}`];
  });
}
