/**
 * `deno task test`: runs every check of the project and prints the total counts on its last line.
 * @module
 */

import { formatSeconds } from "@/progress.ts";
import { describeUnknown } from "@/suggest.ts";
import { parseInteger } from "../arguments.ts";
import { runTask } from "../run_task.ts";
import {
  addCounts,
  type Counts,
  formatCounts,
  listParts,
  type Part,
  type PartOutcome,
  runPart,
} from "./test_parts.ts";
import { partitionProcessors, type ProcessorSet } from "./processor_sets.ts";
import { createTerminalProgress } from "../terminal_progress.ts";

/** Selects the parts whose names start with one of the given names, or all parts if no name is given. */
function selectParts(parts: readonly Part[], requested: readonly string[]): readonly Part[] {
  for (const name of requested) {
    if (!parts.some((part) => part.name.startsWith(name))) {
      const known = parts.map((part) => part.name);
      throw new RangeError(
        `Cannot run test: ${describeUnknown(name, { what: "part", known })}`,
      );
    }
  }
  return requested.length === 0
    ? parts
    : parts.filter((part) => requested.some((name) => part.name.startsWith(name)));
}

/** Formats the result of a part in one line, preceded by its output if it failed. */
function formatOutcome(part: Part, { counts, output }: PartOutcome, seconds: number): string {
  const line = [
    counts.failed > 0 ? "FAIL" : "ok  ",
    part.name.padEnd(28),
    formatSeconds(seconds).padStart(6) + " ",
    formatCounts(counts),
  ].join(" ");
  return counts.failed > 0 ? `${output.trimEnd()}\n${line}` : line;
}

/** Runs parts in order, one at a time on each processor set, and prints each result. */
async function runParts(
  parts: readonly Part[],
  sets: readonly (ProcessorSet | null)[],
  interrupt: AbortSignal,
): Promise<readonly Counts[]> {
  const view = Deno.stderr.isTerminal() ? createTerminalProgress() : null;
  const counts: Counts[] = [];
  const show = () => view?.update({ done: counts.length, total: parts.length, label: "parts" });
  const failed = new AbortController(); // aborted if a part cannot be started
  const signal = AbortSignal.any([interrupt, failed.signal]);
  const waiting = parts.values(); // an iterator that all processor sets take their next part from
  const runOn = async (processors: ProcessorSet | null) => {
    for (const part of waiting) {
      show();
      const startMs = performance.now();
      const outcome = await runPart(part, { signal, processors });
      if (signal.aborted) throw new Error("interrupted");
      counts.push(outcome.counts);
      if (view) await Deno.stderr.write(new TextEncoder().encode("\r\x1b[K"));
      console.log(formatOutcome(part, outcome, (performance.now() - startMs) / 1000));
    }
  };
  // report the first error: it aborts the other parts, whose errors are only consequences
  await Promise.all(
    sets.map((processors) => runOn(processors).catch((error) => failed.abort(error))),
  );
  failed.signal.throwIfAborted();
  return counts;
}

/** Default number of concurrent parts: most of them wait half their time for a single thread or a browser. */
const JOBS = 2;

/** Processor sets for the concurrent parts; null stands for all processors. */
async function readProcessorSets(
  jobs: string | undefined,
  parts: number,
): Promise<readonly (ProcessorSet | null)[]> {
  const count = Math.min(jobs === undefined ? JOBS : parseInteger("test", "jobs", jobs, 1), parts);
  if (count <= 1) return [null];
  const sets = await partitionProcessors(count);
  if (sets !== null) return sets;
  if (jobs === undefined) return [null];
  console.error(`Processors cannot be partitioned here: all ${count} parts use all processors.`);
  return Array.from({ length: count }, () => null);
}

if (import.meta.main) {
  await runTask({
    name: "test",
    summary: "Runs all checks: format, lint, types, examples, tests and notebooks.",
    usage: "[PART …] [--jobs N]",
    options: {
      jobs: {
        type: "string",
        value: "N",
        byDefault: `${JOBS}, or 1 if processors cannot be partitioned`,
        help: "number of parts that run concurrently, each on its own processors",
      },
    },
    positionals: { names: ["PART"], min: 0, max: Infinity },
    stopsItself: true,
    async run({ values, positionals, signal }) {
      const parts = selectParts(await listParts(), positionals);
      const startMs = performance.now();
      const counts = await runParts(
        parts,
        await readProcessorSets(values.jobs, parts.length),
        signal,
      );
      console.log(`all in ${formatSeconds((performance.now() - startMs) / 1000)}`);
      const total = addCounts(counts);
      console.log(formatCounts(total));
      return total.failed === 0 && total.passed > 0;
    },
  });
}
