/**
 * Report of a fault injection session as a Markdown page.
 * @module
 */
import type { RunState } from "./kill_run.ts";
import type { DiskFault } from "./disk_faults.ts";
import { LIMITS, type MutationTally } from "./try_mutations.ts";

/** A run that was killed once. */
export type Kill = { readonly killMs: number; readonly state: RunState; readonly same: boolean };

/** Results of a session. */
export type FaultReport = {
  readonly seed: number;
  /** Executor, system and processor. */
  readonly where: string;
  /** Duration of an uninterrupted run. */
  readonly durationMs: number;
  readonly kills: readonly Kill[];
  /** Null if file systems cannot be created here. */
  readonly diskFaults: readonly DiskFault[] | null;
  readonly tallies: readonly MutationTally[];
};

/** True if every check of a session has passed. */
export function isGood({ kills, diskFaults, tallies }: FaultReport): boolean {
  return kills.every(({ same }) => same) && (diskFaults ?? []).every(({ good }) => good) &&
    tallies.every(({ bad }) => bad.length === 0);
}

const count = (items: readonly unknown[]) => items.length.toLocaleString("en-US");

/** Formats a record as Markdown. */
export function formatFaultReport(record: FaultReport): string {
  return [
    "# Fault injection",
    `\`deno task fault-injection\`, seed ${record.seed}, with ${record.where}.`,
    "## Runs killed at random moments",
    describeKills(record),
    "## Full and read-only disks",
    describeDiskFaults(record.diskFaults),
    "## Damaged files",
    describeTallies(record.tallies),
  ].join("\n\n") + "\n";
}

function describeKills({ kills, durationMs }: FaultReport): string {
  if (kills.length === 0) return "No run was killed.";
  const same = kills.filter(({ same }) => same);
  const started = kills.filter(({ state }) => state.started);
  const saved = started.filter(({ state }) => state.checkpoints.length > 0);
  return [
    `- ${
      count(kills)
    } runs of 60 steps were each killed by SIGKILL once, at a random moment of their ${
      (durationMs / 1000).toFixed(1)
    } s, and resumed.`,
    "- They use all state that a checkpoint must save: mixed-float16 with skipped steps, learned loss weights, " +
    "gradual unfreezing, accumulation, the best model of early stopping.",
    `- **${count(same)} of ${
      count(kills)
    }** ended with the metrics (except times) and weights of a run that was ` +
    "never killed, byte for byte.",
    `- When killed, ${count(started)} had written their configuration, and ${
      count(saved)
    } a checkpoint. ` +
    "The others started again.",
  ].join("\n");
}

function describeDiskFaults(diskFaults: readonly DiskFault[] | null): string {
  if (diskFaults === null) {
    return "Not tried: only root on Linux can create file systems of a given size.";
  }
  const rows = diskFaults.map(({ what, error, checkpoints, good }) =>
    `| ${what} | ${shorten(error)} | ${checkpoints.join(", ") || "none"} | ${good ? "yes" : "NO"} |`
  );
  return [
    "Each run was then resumed with enough space and permission.",
    [
      "| disk | error | checkpoints left | same result after resuming |",
      "| --- | --- | --- | --- |",
      ...rows,
    ].join("\n"),
  ].join("\n\n");
}

/** Removes the path of the run's folder from an error message. */
function shorten(error: string): string {
  return error.replace(/(?:\/[^\s/]+)+\/run\//g, "run/").replaceAll("|", "\\|");
}

function describeTallies(tallies: readonly MutationTally[]): string {
  const rows = tallies.map(({ subject, cases, correct, refused, bad, peakMiB }) =>
    `| ${subject} | ${cases.toLocaleString("en-US")} | ${refused} | ${correct} | ${bad.length} | ${
      peakMiB.toFixed(0)
    } |`
  );
  const bad = tallies.flatMap(({ subject, bad }) =>
    bad.map(({ what, message }) => `- ${subject}: ${what}: ${shorten(message)}`)
  );
  return [
    "Each case damages one file and reads it in a child process with limits of time and memory. Bytes are " +
    "flipped, truncated, repeated, blanked or overwritten with large lengths; JSON values change their type, " +
    "size or key. A case fails if it ends neither with a clear error nor with a correct result. Failures are " +
    "errors of the language, wrong results, crashes, hangs " +
    `(${
      LIMITS.caseMs / 1000
    } s) and more than ${LIMITS.memoryMiB} MiB of resident or newly reserved memory.`,
    [
      "| file | cases | refused with a clear error | read correctly | failed | peak MiB |",
      "| --- | ---: | ---: | ---: | ---: | ---: |",
      ...rows,
    ].join("\n"),
    ...bad.length > 0 ? [bad.join("\n")] : [],
  ].join("\n\n");
}
