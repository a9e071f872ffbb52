/**
 * The sanitizers' reports as a page.
 * @module
 */
import type { Releases } from "./measure_releases.ts";

/** A job under the sanitizers and their report, which is empty if they found nothing. */
export type SanitizedWork = { readonly what: string; readonly report: string };

/** All jobs and their outcome. */
export type SanitizerRecord = {
  readonly command: string;
  /** Compiler, system, processor. */
  readonly where: string;
  /** The report of each planted fault. */
  readonly planted: readonly { readonly what: string; readonly line: string }[];
  readonly works: readonly SanitizedWork[];
  /** Programs under the sanitizers, which count bytes; null if they ended early. */
  readonly releases: Releases | null;
  /** Programs of an ordinary build; null if they ended early. */
  readonly ordinary: Releases | null;
};

/** A released program must leave less than this share of the memory of one that is not released. */
const LEAK_SHARE = 0.25;

/** True if released programs leave nothing, compared with programs that are not released. */
export function areGone({ released, kept }: Releases): boolean {
  return released !== null && kept !== null && kept > 0 && released < LEAK_SHARE * kept;
}

/** True if nothing was found. */
export function isClean({ works, releases, ordinary }: SanitizerRecord): boolean {
  return works.every(({ report }) => report === "") && ordinary !== null &&
    releases !== null && areGone(releases);
}

const bytes = (value: number | null) => value === null ? "unknown" : `${Math.round(value)} bytes`;

/** The record as Markdown. */
export function formatRecord(record: SanitizerRecord): string {
  const { command, where, planted, works, releases, ordinary } = record;
  const fence = (text: string) => `\`\`\`\n${text}\n\`\`\``;
  return [
    "# Sanitizers",
    "The runtime and all programs, built with AddressSanitizer and UndefinedBehaviorSanitizer and run in " +
    `Deno by a pool of two threads. \`${command}\`, on ${where}.`,
    "Blocks that the runtime gives out are guarded at their ends; buffers of one program lie beside each " +
    "other in one block, between which nothing is guarded.",
    "## Planted faults",
    ["| planted | reported |", "| --- | --- |"]
      .concat(planted.map(({ what, line }) => `| ${what} | ${line} |`)).join("\n"),
    "## Programs",
    works.map(({ what, report }) =>
      `- ${what}: ${report === "" ? "nothing reported" : `**reported**\n\n${fence(report)}`}`
    ).join("\n"),
    "## What is left of released programs",
    releases === null ? "The programs ended early." : describeReleases(releases),
    ordinary === null ? "Those of an ordinary build ended early." : describeOrdinary(ordinary),
  ].join("\n\n") + "\n";
}

function describeReleases({ programs, released, kept }: Releases): string {
  return `${programs} programs that share their C were compiled, run and released, and as many kept. ` +
    `Allocated memory grew by ${bytes(released)} for each that was released, by ${
      bytes(kept)
    } for each ` +
    "that was kept.";
}

function describeOrdinary({ programs, library }: Releases): string {
  return `Libraries of C stay loaded for as long as the process lives. Of ${programs} released programs of ` +
    `an ordinary build, each with C of its own, ${
      (library / 1024).toFixed(0)
    } KiB each stayed resident.`;
}
