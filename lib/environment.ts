/**
 * Where a run was made: what `environment.json` holds.
 * @module
 */
import { cpus, totalmem } from "node:os";
import project from "../deno.json" with { type: "json" };

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
  const processors = cpus();
  return {
    device,
    executor: executor.name,
    executorVersion: executor.version,
    threads: executor.threads,
    cpu: {
      model: processors[0]?.model.trim() ?? "unknown",
      cores: processors.length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
    system: `${Deno.build.os} ${Deno.build.arch}`,
    versions: { ...Deno.version, ...packageVersions() },
  };
}
