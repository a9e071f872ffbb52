/**
 * Properties of the machine that affect speed and rounding.
 * @module
 */
import { cpus, totalmem } from "node:os";

/** A processor and its memory. */
export type Machine = {
  /** Name of the processor, with its microarchitecture if known. */
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** The processor's instruction sets among {@link FLAGS}; empty if unknown. */
  readonly flags: readonly string[];
};

/** Vector and matrix instruction sets by their names in Linux. */
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

/**
 * Microarchitectures by vendor and family, each with the first of its model numbers. The last entry whose number does not
 * exceed the processor's model applies. Based on Linux 6.12, arch/x86/kernel/cpu/amd.c and
 * arch/x86/include/asm/intel-family.h, without Intel's client processors.
 */
const MICROARCHITECTURES: Readonly<Record<string, readonly (readonly [number, string | null])[]>> =
  {
    "AuthenticAMD 23": [
      [0x00, "Zen"],
      [0x30, "Zen 2"],
      [0x50, "Zen"],
      [0x60, "Zen 2"],
    ],
    "AuthenticAMD 25": [
      [0x00, "Zen 3"],
      [0x10, "Zen 4"],
      [0x20, "Zen 3"],
      [0x60, "Zen 4"],
      [0xb0, null],
    ],
    "AuthenticAMD 26": [
      [0x00, "Zen 5"],
      [0x50, "Zen 6"],
      [0x60, "Zen 5"],
      [0x80, "Zen 6"],
    ],
    "GenuineIntel 6": [
      [0x00, null],
      [0x55, "Skylake or Cascade Lake"],
      [0x56, null],
      [0x6a, "Ice Lake"],
      [0x6b, null],
      [0x6c, "Ice Lake"],
      [0x6d, null],
      [0x8f, "Sapphire Rapids"],
      [0x90, null],
      [0xad, "Granite Rapids"],
      [0xaf, null],
      [0xcf, "Emerald Rapids"],
      [0xd0, null],
    ],
  };

/**
 * The microarchitecture of the first processor in the text of /proc/cpuinfo, such as `Zen 5`; null if unknown. Virtual
 * machines often hide the model name, but speed and rounding depend on the microarchitecture.
 */
export function readMicroarchitecture(cpuinfo: string): string | null {
  const field = (name: string) =>
    new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(cpuinfo)?.[1]?.trim() ?? "";
  const model = Number(field("model"));
  const ranges = MICROARCHITECTURES[`${field("vendor_id")} ${field("cpu family")}`] ?? [];
  return ranges.findLast(([first]) => first <= model)?.[1] ?? null;
}

/** The flags among {@link FLAGS} in the text of /proc/cpuinfo. */
export function readFlags(cpuinfo: string): readonly string[] {
  const line = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? "";
  const present = new Set(line.trim().split(/\s+/));
  return FLAGS.filter((flag) => present.has(flag));
}

/** The text of /proc/cpuinfo; empty if the system has none. */
function readProcessorText(): string {
  try {
    return Deno.readTextFileSync("/proc/cpuinfo");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return ""; // it exists only on Linux
    throw error;
  }
}

/** Describes this machine. */
export function describeMachine(): Machine {
  const processors = cpus(), text = readProcessorText();
  const name = processors[0]?.model.trim() ?? "unknown";
  const architecture = readMicroarchitecture(text);
  return {
    cpu: architecture === null || name.includes(architecture) ? name : `${name} (${architecture})`,
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    flags: readFlags(text),
  };
}

/** A number of threads as text. */
export function formatThreads(count: number): string {
  return `${count} ${count === 1 ? "thread" : "threads"}`;
}
