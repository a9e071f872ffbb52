/**
 * Faults planted in generated C, each in a process of its own. Sanitizers that do not report them would not find
 * faults of programs either.
 * @module
 */
import type { Sanitizers } from "./find_sanitizers.ts";
import { startJob } from "./start_job.ts";

/** Jobs that commit a fault, with its description and a part of the expected report. */
export const PLANTED = {
  planted_write: { what: "a write past the end of a block", says: "heap-buffer-overflow" },
  planted_use: { what: "a look at memory given back", says: "heap-use-after-free" },
  planted_shift: { what: "a shift by too many bits", says: "shift exponent 100 is too large" },
} as const;
/** One of {@link PLANTED}. */
export type PlantedName = keyof typeof PLANTED;

/** The first line of the report of a planted fault; throws where there is none. */
export async function checkPlanted(
  name: PlantedName,
  options: { readonly sanitizers: Sanitizers | null; readonly cache: string | null },
): Promise<string> {
  const { what, says } = PLANTED[name];
  const { report } = await startJob([name], options);
  const line = report.split("\n").find((line) => line.includes(says));
  if (line !== undefined) return line;
  throw new Error(
    `Cannot sanitize as ${what} must be reported: the sanitizers see nothing${
      report === "" ? "" : `, and the process ended with ${report}`
    }`,
  );
}
