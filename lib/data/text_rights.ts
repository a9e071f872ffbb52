/**
 * Which data sets forbid showing their texts to others. Reports, model cards and the demo page ask here before
 * they print a row.
 * @module
 */
import type { TaskConfig } from "@/config.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";

/**
 * Data sets under a license that forbids publishing their texts, by the last part of their names: AG News is for
 * research only, and the texts of CoNLL-2003 belong to Reuters. Copies under another owner have the same texts.
 */
const RESTRICTED = [/^ag[-_]?news/, /^conll/, /^reuters/, /^ontonotes/] as const;

/**
 * True if texts of a task's data set may be shown: the built-in sample and data of one's own, but no data set
 * whose license is known to forbid it.
 *
 * @param dataDir the run's `data.dir`
 */
export function mayShowTexts(
  { dataset }: Pick<TaskConfig, "dataset">,
  dataDir: string | null,
): boolean {
  if (dataDir === SAMPLE_DIR) return true;
  const name = dataset.slice(dataset.lastIndexOf("/") + 1).toLowerCase();
  return !RESTRICTED.some((pattern) => pattern.test(name));
}
