/**
 * `deno task test`: every check of the project, with their counts on its last line.
 * @module
 */

import { formatSeconds } from "@/progress.ts";
import { runTask } from "./frame.ts";
import { addCounts, type Counts, formatCounts } from "./junit.ts";
import { createTerminalProgress } from "./progress.ts";
import { listParts, type Part, runPart } from "./test_parts.ts";

/** The parts that were asked for by name, or by the beginning of a name; all where none was. */
function selectParts(parts: readonly Part[], asked: readonly string[]): readonly Part[] {
  for (const name of asked) {
    if (!parts.some((part) => part.name.startsWith(name))) {
      const known = parts.map((part) => part.name).join(", ");
      throw new RangeError(`Cannot run test: part ${name} is not one of ${known}`);
    }
  }
  return asked.length === 0
    ? parts
    : parts.filter((part) => asked.some((name) => part.name.startsWith(name)));
}

if (import.meta.main) {
  await runTask({
    name: "test",
    summary: "Runs every check: format, lint, types, examples, tests and notebooks.",
    usage: "[PART …]",
    options: {},
    positionals: { names: ["PART"], min: 0, max: Infinity },
    stopsItself: true,
    async run({ positionals, signal }) {
      const parts = selectParts(await listParts(), positionals);
      const counts: Counts[] = [];
      const startMs = performance.now();
      for (const [done, part] of parts.entries()) {
        const view = Deno.stderr.isTerminal() ? createTerminalProgress() : null;
        view?.update({ done, total: parts.length, label: part.name });
        const partMs = performance.now();
        const outcome = await runPart(part, signal);
        if (signal.aborted) throw new Error("interrupted");
        if (view) await Deno.stderr.write(new TextEncoder().encode("\r\x1b[K"));
        const { failed } = outcome.counts;
        const seconds = formatSeconds((performance.now() - partMs) / 1000);
        if (failed > 0) console.log(outcome.output.trimEnd());
        console.log(
          `${failed > 0 ? "FAIL" : "ok  "} ${part.name.padEnd(28)} ${seconds.padStart(6)}  ${
            formatCounts(outcome.counts)
          }`,
        );
        counts.push(outcome.counts);
      }
      console.log(`all in ${formatSeconds((performance.now() - startMs) / 1000)}`);
      const total = addCounts(counts);
      console.log(formatCounts(total));
      return total.failed === 0 && total.passed > 0;
    },
  });
}
