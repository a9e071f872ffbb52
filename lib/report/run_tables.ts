/**
 * All tables of a run in Markdown, by name.
 * @module
 */
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import { isClassification, mainScores, type RunRecord } from "./readers/run_record.ts";
import {
  calibrationTable,
  classificationTable,
  classTable,
  dataTable,
  entityTable,
  environmentTable,
  errorTable,
  evaluationTable,
  groupTable,
  headlineTable,
  typeTable,
} from "./tables.ts";

/** Tables of a run by name; those without rows are left out. */
export function recordTables(record: RunRecord): Map<string, string> {
  const { summary } = record;
  const tables: Readonly<Record<string, string | null>> = {
    headline: headlineTable(summary),
    classification: classificationTable(summary),
    calibration: calibrationTable(summary),
    entities: entityTable(summary),
    ...Object.assign({}, ...Object.entries(summary.scores).map(taskTables)),
    evaluations: evaluationTable(record),
    groups: summary.groups.length === 0 ? null : groupTable(summary),
    data: dataTable(record),
    environment: environmentTable(record.environment),
  };
  const present = Object.entries(tables);
  return new Map(present.flatMap(([name, table]) => table === null ? [] : [[name, table]]));
}

/** Tables of one task's main split by name; null if the split has no such scores. */
function taskTables(
  [task, splits]: readonly [string, Readonly<Record<string, TaskScores>>],
): Readonly<Record<string, string | null>> {
  const scores = mainScores(splits)?.scores;
  if (scores === undefined) return {};
  return isClassification(scores)
    ? { [`classes-${task}`]: classTable(scores) }
    : { [`types-${task}`]: typeTable(scores), [`errors-${task}`]: errorTable(scores) };
}
