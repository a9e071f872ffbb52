/**
 * What was seen in an hour of torture, as a page to keep.
 * @module
 */
import type { Remains } from "@/torture/kill_run.ts";
import type { StarvedRun } from "@/torture/starve_run.ts";
import { LIMITS, type MutationTally } from "@/torture/try_mutations.ts";

/** A run that was killed once. */
export type Kill = { readonly killMs: number; readonly remains: Remains; readonly same: boolean };

/** All that was done and what came of it. */
export type TortureRecord = {
  readonly seed: number;
  /** Executor, system, processor. */
  readonly where: string;
  /** Milliseconds that a run lasts which nobody kills. */
  readonly lastedMs: number;
  readonly kills: readonly Kill[];
  /** Null where disks cannot be made. */
  readonly starved: readonly StarvedRun[] | null;
  readonly tallies: readonly MutationTally[];
};

/** Whether nothing in a record is bad. */
export function isGood({ kills, starved, tallies }: TortureRecord): boolean {
  return kills.every(({ same }) => same) && (starved ?? []).every(({ good }) => good) &&
    tallies.every(({ bad }) => bad.length === 0);
}

const count = (items: readonly unknown[]) => items.length.toLocaleString("en-US");

/** The record as Markdown. */
export function formatRecord(record: TortureRecord): string {
  return [
    "# What training and files were put through",
    `\`deno task torture\`, seed ${record.seed}, on ${record.where}.`,
    "## Runs killed at random moments",
    describeKills(record),
    "## No room, no permission",
    describeStarved(record.starved),
    "## Damaged files",
    describeTallies(record.tallies),
  ].join("\n\n") + "\n";
}

function describeKills({ kills, lastedMs }: TortureRecord): string {
  if (kills.length === 0) return "No run was killed.";
  const same = kills.filter(({ same }) => same);
  const begun = kills.filter(({ remains }) => remains.begun);
  const saved = begun.filter(({ remains }) => remains.checkpoints.length > 0);
  return `${
    count(kills)
  } runs of 60 steps (mixed-float16 with skipped steps, learned loss weights, gradual ` +
    "unfreezing, accumulation, early stopping's best model) were each killed by SIGKILL at a moment " +
    `drawn evenly from their ${(lastedMs / 1000).toFixed(1)} s and taken up again. **${
      count(same)
    } of ${
      count(kills)
    }** came to the metrics (but for times) and weights of a run never killed, byte ` +
    `for byte. When they were killed, ${
      count(kills) === count(begun) ? "all" : count(begun)
    } had ` +
    `written their configuration and ${count(saved)} of these a checkpoint; the others began anew.`;
}

function describeStarved(starved: readonly StarvedRun[] | null): string {
  if (starved === null) {
    return "Not tried: file systems of a given size can only be made by root on Linux.";
  }
  const rows = starved.map(({ what, said, checkpoints, good }) =>
    `| ${what} | ${shorten(said)} | ${checkpoints.join(", ") || "none"} | ${good ? "yes" : "NO"} |`
  );
  return [
    "Afterwards there was room, or permission, and each run was taken up again.",
    [
      "| refused | what it said | checkpoints it left | went on to the same end |",
      "| --- | --- | --- | --- |",
      ...rows,
    ].join("\n"),
  ].join("\n\n");
}

/** An error without the folders that its file was in. */
function shorten(error: string): string {
  return error.replace(/(?:\/[^\s/]+)+\/run\//g, "run/").replaceAll("|", "\\|");
}

function describeTallies(tallies: readonly MutationTally[]): string {
  const rows = tallies.map(({ subject, cases, right, refused, bad, peakMiB }) =>
    `| ${subject} | ${cases.toLocaleString("en-US")} | ${refused} | ${right} | ${bad.length} | ${
      peakMiB.toFixed(0)
    } |`
  );
  const bad = tallies.flatMap(({ subject, bad }) =>
    bad.map(({ what, message }) => `- ${subject}: ${what}: ${shorten(message)}`)
  );
  return [
    "Bits turned, files cut, repeated and blanked, length fields blown up, and in JSON values of another " +
    "type, size or name; each case in a process that is watched. Bad is whatever is neither a clear error " +
    "nor a right result: an error of the language, a wrong result, a crash, " +
    `${
      LIMITS.caseMs / 1000
    } s without an end, or more than ${LIMITS.memoryMiB} MiB of memory, resident ` +
    "or newly reserved.",
    [
      "| file | cases | refused with a clear error | read to a right result | bad | peak MiB |",
      "| --- | ---: | ---: | ---: | ---: | ---: |",
      ...rows,
    ].join("\n"),
    ...bad.length > 0 ? [bad.join("\n")] : [],
  ].join("\n\n");
}
