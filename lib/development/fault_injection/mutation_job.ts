/**
 * Damages files and reads them in the current process, which may crash.
 * @module
 */
import { join } from "node:path";
import { openEngine } from "@/engine/engine.ts";
import { readBytes } from "@/system/files.ts";
import { readProcessMemory } from "@/system/process_memory.ts";
import { stream } from "@/random.ts";
import { isClearError } from "./clear_error.ts";
import { mutateFile, openSubject, type SubjectName } from "./subjects.ts";

/** A range of cases to run. */
export type MutationJob = {
  readonly subject: SubjectName;
  /** Folder with copies of all files, made by `copySubjects`. Must not be used by others at the same time. */
  readonly folder: string;
  readonly seed: number;
  /** Range of case indices [first, end). */
  readonly first: number;
  readonly end: number;
};

/** Possible outcomes of reading a damaged file, if the process survives. */
export const VERDICTS = ["correct", "refused", "unclear", "wrong"] as const;

/** Outcome of one case. */
export type MutationOutcome = {
  readonly index: number;
  /** The damaged file and the damage. */
  readonly what: string;
  readonly verdict: typeof VERDICTS[number];
  /** Error message, or a description of what is wrong with the result. */
  readonly message: string;
  /** Peak resident memory of the process so far, and the growth of reserved memory during this case. */
  readonly peakMiB: number;
  readonly grownMiB: number;
};

/** Runs the cases of a job, one after the other. */
export async function* runMutations(job: MutationJob): AsyncGenerator<MutationOutcome> {
  const { subject, folder, seed, first, end } = job;
  await openEngine({ executor: "onnx" });
  const { files, read } = await openSubject(subject, folder);
  const good = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const file of files) good.set(file, await readBytes(join(folder, file), "file to damage"));
  for (let index = first; index < end; index++) {
    const prng = stream(seed, "mutation", subject, index);
    const file = files[prng.below(files.length)] ?? "";
    const bytes = good.get(file);
    if (bytes === undefined) throw new TypeError(`internal: no file ${file}`);
    const mutation = mutateFile(file, bytes, prng);
    await Deno.writeFile(join(folder, file), mutation.bytes);
    const before = await readProcessMemory();
    let verdict: MutationOutcome["verdict"] = "correct", message = "";
    try {
      const fault = await read(file);
      if (fault !== null) [verdict, message] = ["wrong", fault];
    } catch (error) {
      verdict = isClearError(error) ? "refused" : "unclear";
      message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
    const { peakMiB, reservedMiB } = await readProcessMemory();
    await Deno.writeFile(join(folder, file), bytes);
    yield {
      ...{ index, what: `${file}: ${mutation.what}`, verdict, message, peakMiB },
      grownMiB: (reservedMiB ?? 0) - (before.reservedMiB ?? 0),
    };
  }
}
