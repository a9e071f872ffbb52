/**
 * Whether two runs were made where equal numbers can be asked for: what their `environment.json` say.
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { isObject } from "@/config_rules.ts";
import type { RunEnvironment } from "@/train/run_environment.ts";

/** Something that two environments do not have in common. */
export type EnvironmentDifference = {
  /** Such as `threads` or `versions.deno`. */
  readonly key: string;
  readonly then: unknown;
  readonly now: unknown;
};

/** Two environments side by side. */
export type EnvironmentComparison = {
  /** What bits depend on; none: the same configuration must give the same numbers. */
  readonly decisive: readonly EnvironmentDifference[];
  /** Packages, which should not matter and may. */
  readonly packages: readonly EnvironmentDifference[];
};

/** Keys that bits depend on, beside the processor. */
const DECISIVE = ["device", "executor", "executorVersion", "threads", "system"] as const;

/** Compares where a run was made, `then`, with where it is made again. */
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
    "where it went on": listMoves(each),
  }));
  const decisive = [...DECISIVE, "cpu", "where it went on"];
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

/** The processor's name, which on a virtual machine says little, and with `flags` its instructions. */
function nameProcessor(cpu: unknown, flags: boolean): unknown {
  if (!isObject(cpu)) return cpu;
  return flags && Array.isArray(cpu.flags) ? `${cpu.model} (${cpu.flags.join(" ")})` : cpu.model;
}

/** Times that a run was taken up again elsewhere: the steps, and what was decisive of the change. */
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
