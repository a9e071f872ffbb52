/**
 * Starts `run_files.ts` in a process of its own, so that a crash loses only one file's specs.
 * @module
 */
import { fileURLToPath } from "node:url";
import type { SpecRecord } from "./records.ts";

/** Prefix of a fallback caused by an operation that C lacks; all other fallbacks are names of kernels. */
export const MISSED = "C lacks ";

const PROGRAM = fileURLToPath(new URL("./run_files.ts", import.meta.url));

/** Records of the specs of `files`. If the process ends early, the file that it was running has failed. */
export async function startFiles(
  executor: "onnx" | "native",
  files: readonly string[],
): Promise<SpecRecord[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", PROGRAM, executor, ...files],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  const records = lines.map((line) => JSON.parse(line) as SpecRecord);
  if (success) return records;
  const last = records.at(-1)?.file ?? files[0] ?? "";
  const failures = [`the process ended: ${new TextDecoder().decode(stderr).slice(-500)}`];
  const rest = files.slice(files.indexOf(last) + 1);
  const crash: SpecRecord = {
    kind: "spec",
    file: last,
    name: "(all that follows)",
    compiled: [],
    fallback: [],
    failures,
  };
  return [...records, crash, ...rest.length > 0 ? await startFiles(executor, rest) : []];
}
