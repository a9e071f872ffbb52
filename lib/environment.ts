/**
 * Where a run was made: what `environment.json` holds.
 * @module
 */
import project from "../deno.json" with { type: "json" };
import { describeMachine } from "@/machine.ts";

/** What computed, as the engine says. */
export type UsedExecutor = {
  readonly name: string;
  readonly version: string;
  readonly threads: number;
};

/** Exact versions of the packages that the project imports. */
function packageVersions(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const specifier of Object.values(project.imports)) {
    const parts = /^npm:(.+)@([^@]+)$/.exec(specifier);
    if (parts?.[1] !== undefined && parts[2] !== undefined) found[parts[1]] = parts[2];
  }
  return found;
}

/** The machine and the software of this process. */
export function describeEnvironment(
  device: string,
  executor: UsedExecutor,
): Readonly<Record<string, unknown>> {
  const { cpu, cores, memoryGiB, flags } = describeMachine();
  return {
    device,
    executor: executor.name,
    executorVersion: executor.version,
    threads: executor.threads,
    cpu: { model: cpu, cores, memoryGiB, flags },
    system: `${Deno.build.os} ${Deno.build.arch}`,
    versions: { ...Deno.version, ...packageVersions() },
  };
}
