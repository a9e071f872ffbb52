/**
 * What C is compiled for: an instruction set by name, as compiler flags, and the processor it is bound to.
 * @module
 */
import { cpus } from "node:os";

/** Instruction sets that `native.isa` may name; `native` is all that this processor has. */
export const ISAS = ["native", "avx512", "avx2", "generic"] as const;
/** One of {@link ISAS}. */
export type Isa = typeof ISAS[number];

/** What a library is compiled for. */
export type Target = {
  readonly isa: Isa;
  readonly flags: readonly string[];
  /** Model and abilities of the processor: what is compiled for one may not run on another. */
  readonly processor: string;
};

/** Abilities, as Linux names them, that an instruction set needs. */
const NEEDS: Readonly<Record<Isa, readonly string[]>> = {
  native: [],
  avx512: ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma", "f16c"],
  avx2: ["avx2", "fma", "f16c"],
  generic: [],
};

/** Compiler flags of x86 abilities. */
const flagsOf = (abilities: readonly string[]) => abilities.map((ability) => `-m${ability}`);

/** Model and ability flags of the first processor; Linux alone tells the flags. */
function describeProcessor(): { readonly model: string; readonly abilities: readonly string[] } {
  const model = cpus()[0]?.model.trim() ?? "unknown";
  try {
    const text = Deno.readTextFileSync("/proc/cpuinfo");
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1] ?? "";
    return { model, abilities: line.trim().split(/\s+/) };
  } catch {
    return { model, abilities: [] };
  }
}

/** Checks the name of an instruction set; null is `native`. */
export function parseIsa(name: string | null): Isa {
  const isa = ISAS.find((known) => known === (name ?? "native"));
  if (isa === undefined) {
    throw new RangeError(
      `Cannot compile as native.isa must be one of ${ISAS.join(", ")}: current value is ${name}`,
    );
  }
  return isa;
}

/** The target of a `native.isa`; throws where this processor lacks what it needs. */
export function chooseTarget(name: string | null): Target {
  const isa = parseIsa(name);
  const { model, abilities } = describeProcessor();
  const needed = NEEDS[isa];
  const x86 = Deno.build.arch === "x86_64";
  const lacking = needed.filter((ability) => !abilities.includes(ability));
  if (needed.length > 0 && (!x86 || (abilities.length > 0 && lacking.length > 0))) {
    throw new RangeError(
      `Cannot compile for native.isa = ${isa} as the processor must have ${needed.join(", ")}: ` +
        (x86 ? `${model} lacks ${lacking.join(", ")}` : `it is of type ${Deno.build.arch}`),
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
