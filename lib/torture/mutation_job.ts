/**
 * Damages files and reads them, in this process, which may not survive it.
 * @module
 */
import { join } from "node:path";
import { openEngine } from "@/engine/engine.ts";
import { readBytes } from "@/files.ts";
import { readProcessMemory } from "@/process_memory.ts";
import { stream } from "@/random.ts";
import { isClearError } from "@/torture/clear_error.ts";
import { mutateFile, openSubject, type SubjectName } from "@/torture/subjects.ts";

/** Cases to be done. */
export type MutationJob = {
  readonly subject: SubjectName;
  /** Copies of all files, made by `copySubjects`; none else may use them meanwhile. */
  readonly folder: string;
  readonly seed: number;
  /** Cases [first, end). */
  readonly first: number;
  readonly end: number;
};

/** What came of a damaged file, where the process lived to tell. */
export const VERDICTS = ["right", "refused", "unclear", "wrong"] as const;

/** What a damaged file came to. */
export type MutationOutcome = {
  readonly index: number;
  /** Which file was damaged, and how. */
  readonly what: string;
  readonly verdict: typeof VERDICTS[number];
  /** What was said in the error, or what is wrong with the result. */
  readonly message: string;
  /** Memory of the process: the most that was resident so far, and how much more of it this case reserved. */
  readonly peakMiB: number;
  readonly grownMiB: number;
};

/** Does the cases of a job, in turn. */
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
    let verdict: MutationOutcome["verdict"] = "right", message = "";
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
