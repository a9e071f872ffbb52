/**
 * Compilation targets: an instruction set by name, as compiler flags, and the processor.
 * @module
 */
import { cpus } from "node:os";
import type { Isa } from "@/engine/options.ts";
import { isSystemError } from "@/engine/system.ts";

/** A target of compilation. */
export type Target = {
  readonly isa: Isa;
  readonly flags: readonly string[];
  /** Model and features of the processor; code compiled for one processor may not run on another. */
  readonly processor: string;
};

/** Processor features, in Linux's names, that an instruction set needs. */
const NEEDS: Readonly<Record<Isa, readonly string[]>> = {
  native: [],
  avx512: ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma", "f16c"],
  avx2: ["avx2", "fma", "f16c"],
  generic: [],
};

/** Compiler flags of x86 features. */
const flagsOf = (abilities: readonly string[]) => abilities.map((ability) => `-m${ability}`);

/** Model and features of the first processor; only Linux lists the features. */
function describeProcessor(): { readonly model: string; readonly abilities: readonly string[] } {
  const model = cpus()[0]?.model.trim() ?? "unknown";
  try {
    const text = Deno.readTextFileSync("/proc/cpuinfo");
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1] ?? "";
    return { model, abilities: line.trim().split(/\s+/) };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { model, abilities: [] };
  }
}

/** The target of an instruction set, null: `native`; throws if this processor lacks a feature that it needs. */
export function chooseTarget(name: Isa | null): Target {
  const isa = name ?? "native";
  const { model, abilities } = describeProcessor();
  const needed = NEEDS[isa];
  const x86 = Deno.build.arch === "x86_64";
  const lacking = needed.filter((ability) => !abilities.includes(ability));
  if (needed.length > 0 && (!x86 || (abilities.length > 0 && lacking.length > 0))) {
    throw new RangeError(
      `Cannot compile for native.isa=${isa}: it needs ${needed.join(", ")}, but this processor ` +
        (x86 ? `(${model}) lacks ${lacking.join(", ")}` : `is of type ${Deno.build.arch}`),
    );
  }
  const native = x86 ? ["-march=native"] : ["-mcpu=native"];
  const bfloat16 = isa === "avx512" && abilities.includes("avx512_bf16") ? ["-mavx512bf16"] : [];
  return {
    isa,
    flags: isa === "native" ? native : [...flagsOf(needed), ...bfloat16],
    processor: [model, ...abilities].join(" "),
  };
}
