/**
 * `deno task test`: every check of the project, with their counts on its last line.
 * @module
 */

import { formatSeconds } from "@/progress.ts";
import { describeUnknown } from "@/suggest.ts";
import { parseWhole } from "./arguments.ts";
import { runTask } from "./frame.ts";
import { addCounts, type Counts, formatCounts } from "./junit.ts";
import { type ProcessorShare, shareProcessors } from "./processor_shares.ts";
import { createTerminalProgress } from "./progress.ts";
import { listParts, type Part, type PartOutcome, runPart } from "./test_parts.ts";

/** The parts that were asked for by name, or by the beginning of a name; all where none was. */
function selectParts(parts: readonly Part[], asked: readonly string[]): readonly Part[] {
  for (const name of asked) {
    if (!parts.some((part) => part.name.startsWith(name))) {
      const known = parts.map((part) => part.name);
      throw new RangeError(
        `Cannot run test: ${describeUnknown(name, { what: "part", known })}`,
      );
    }
  }
  return asked.length === 0
    ? parts
    : parts.filter((part) => asked.some((name) => part.name.startsWith(name)));
}

/** The line that tells how a part ended, after what it printed where it failed. */
function formatOutcome(part: Part, { counts, output }: PartOutcome, seconds: number): string {
  const line = [
    counts.failed > 0 ? "FAIL" : "ok  ",
    part.name.padEnd(28),
    formatSeconds(seconds).padStart(6) + " ",
    formatCounts(counts),
  ].join(" ");
  return counts.failed > 0 ? `${output.trimEnd()}\n${line}` : line;
}

/** Runs parts in order, one at a time on each share of processors; prints of each how it ended. */
async function runParts(
  parts: readonly Part[],
  shares: readonly (ProcessorShare | null)[],
  interrupt: AbortSignal,
): Promise<readonly Counts[]> {
  const view = Deno.stderr.isTerminal() ? createTerminalProgress() : null;
  const counts: Counts[] = [];
  const show = () => view?.update({ done: counts.length, total: parts.length, label: "parts" });
  const failed = new AbortController(); // ends the other parts where one cannot be run
  const signal = AbortSignal.any([interrupt, failed.signal]);
  const waiting = parts.values(); // each share takes the next
  const runOn = async (share: ProcessorShare | null) => {
    for (const part of waiting) {
      show();
      const startMs = performance.now();
      const outcome = await runPart(part, { signal, share });
      if (signal.aborted) throw new Error("interrupted");
      counts.push(outcome.counts);
      if (view) await Deno.stderr.write(new TextEncoder().encode("\r\x1b[K"));
      console.log(formatOutcome(part, outcome, (performance.now() - startMs) / 1000));
    }
  };
  // the first error is the one to tell: it ends the other parts, which then are interrupted
  await Promise.all(shares.map((share) => runOn(share).catch((error) => failed.abort(error))));
  failed.signal.throwIfAborted();
  return counts;
}

/** How many parts run at once unless asked: most wait half their time for one thread or a browser. */
const JOBS = 2;

/** A share of processors for each of the parts that run at once; null is all of them. */
async function readShares(
  jobs: string | undefined,
  parts: number,
): Promise<readonly (ProcessorShare | null)[]> {
  const count = Math.min(jobs === undefined ? JOBS : parseWhole("test", "jobs", jobs, 1), parts);
  if (count <= 1) return [null];
  const shares = await shareProcessors(count);
  if (shares !== null) return shares;
  if (jobs === undefined) return [null];
  console.error(`the processors cannot be shared out here: all ${count} parts run on all of them`);
  return Array.from({ length: count }, () => null);
}

if (import.meta.main) {
  await runTask({
    name: "test",
    summary: "Runs every check: format, lint, types, examples, tests and notebooks.",
    usage: "[PART …] [--jobs N]",
    options: {
      jobs: {
        type: "string",
        value: "N",
        byDefault: `${JOBS}, or 1 where processors cannot be shared`,
        help: "parts that run at once, each on its share of processors",
      },
    },
    positionals: { names: ["PART"], min: 0, max: Infinity },
    stopsItself: true,
    async run({ values, positionals, signal }) {
      const parts = selectParts(await listParts(), positionals);
      const startMs = performance.now();
      const counts = await runParts(parts, await readShares(values.jobs, parts.length), signal);
      console.log(`all in ${formatSeconds((performance.now() - startMs) / 1000)}`);
      const total = addCounts(counts);
      console.log(formatCounts(total));
      return total.failed === 0 && total.passed > 0;
    },
  });
}
