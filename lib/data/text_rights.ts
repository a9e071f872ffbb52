/**
 * Data sets whose texts must not be shown to others. Reports, model cards and the demo page check this before they
 * print a row.
 * @module
 */
import type { TaskConfig } from "@/config/config.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";

/**
 * Data sets whose license forbids publishing their texts, by the last part of their names: AG News is for research only,
 * and the texts of CoNLL-2003 belong to Reuters. Copies by other owners contain the same texts.
 */
const RESTRICTED = [/^ag[-_]?news/, /^conll/, /^reuters/, /^ontonotes/] as const;

/**
 * True if the texts of a task's data set may be shown: those of the built-in sample and of the user's own data, but not
 * of data sets whose license is known to forbid it.
 *
 * @param dataDir The run's `data.dir`.
 */
export function mayShowTexts(
  { dataset }: Pick<TaskConfig, "dataset">,
  dataDir: string | null,
): boolean {
  if (dataDir === SAMPLE_DIR) return true;
  const name = dataset.slice(dataset.lastIndexOf("/") + 1).toLowerCase();
  return !RESTRICTED.some((pattern) => pattern.test(name));
}
