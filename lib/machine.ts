/**
 * The machine that computes: what decides how fast, and to which last bit.
 * @module
 */
import { cpus, totalmem } from "node:os";

/** A processor and its memory. */
export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Of {@link FLAGS}, those that the processor has; empty where the system does not say. */
  readonly flags: readonly string[];
};

/** Vector and matrix instructions, as Linux calls them. */
const FLAGS = [
  "avx2",
  "fma",
  "avx512f",
  "avx512_vnni",
  "avx512_bf16",
  "avx512_fp16",
  "amx_tile",
  "amx_bf16",
  "amx_fp16",
];

/** Those of {@link FLAGS} in the text of /proc/cpuinfo. */
export function readFlags(cpuinfo: string): readonly string[] {
  const line = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? "";
  const present = new Set(line.trim().split(/\s+/));
  return FLAGS.filter((flag) => present.has(flag));
}

/** This machine. */
export function describeMachine(): Machine {
  const processors = cpus();
  let flags: readonly string[] = [];
  try {
    flags = readFlags(Deno.readTextFileSync("/proc/cpuinfo"));
  } catch { /* not Linux */ }
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    flags,
  };
}

/** A number of threads in words. */
export function formatThreads(count: number): string {
  return `${count} ${count === 1 ? "thread" : "threads"}`;
}
