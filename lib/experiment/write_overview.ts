/**
 * Overview page of all runs and experiments in a folder, with links to their reports.
 * @module
 */
import { join } from "node:path";
import { compareResults } from "@/experiment/compare_variants.ts";
import { type ExperimentResults, readResults } from "@/experiment/results.ts";
import type { RunPool } from "@/experiment/run_pool.ts";
import { describeFindings, listFindings } from "./experiment_report.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { composeDocument, type Section } from "@/report/document.ts";
import { formatCount, formatPercent } from "@/report/format.ts";
import { renderPage } from "@/report/html.ts";
import { formatDate } from "@/report/markdown.ts";
import { readRun } from "@/report/readers/read_run.ts";
import { mainMeasure, mainScores, type RunRecord } from "@/report/readers/run_record.ts";
import { escapeMarkdown, formatTable } from "@/report/tables.ts";

/** Folders, relative to `root`, that contain a `report.html`. */
type Reported = {
  readonly runs: readonly string[];
  readonly experiments: readonly string[];
};

/** Writes `index.html` into `root` and returns its path. The same inputs always give the same bytes. */
export async function writeOverview(
  root: string,
  { runs, experiments }: Reported,
  pool: RunPool,
): Promise<string> {
  const links = new Set<string>();
  /** Markdown link to the report of a folder. */
  const link = (folder: string, label: string) => {
    const address = [...folder.split(/[/\\]/), "report.html"].map(encodeURIComponent).join("/");
    links.add(address);
    return `[${escapeMarkdown(label)}](${address})`;
  };
  const records: [folder: string, record: RunRecord][] = [];
  for (const folder of runs) records.push([folder, await readRun(join(root, folder))]);
  const results: [folder: string, results: ExperimentResults][] = [];
  for (const folder of experiments) {
    results.push([folder, await readResults(join(root, folder), pool)]);
  }
  const sections: Section[] = [];
  if (records.length > 0) {
    const rows = records.map(([folder, record]) => [link(folder, folder), ...describeRun(record)]);
    sections.push({
      heading: "Runs",
      parts: [formatTable([
        { head: "Run", align: "left", isMarkdown: true },
        { head: "Main scores (%)", align: "left" },
        { head: "Preset", align: "left" },
        { head: "Precision", align: "left" },
        { head: "Data", align: "left" },
        { head: "Steps", align: "right" },
        { head: "Started", align: "left" },
      ], rows)],
    });
  }
  if (results.length > 0) {
    sections.push({
      heading: "Experiments",
      parts: results.flatMap(([folder, found]) =>
        describeExperiment(found, link(folder, "Report"))
      ),
    });
  }
  const title = "Runs and experiments";
  const markdown = composeDocument({ title, lead: [], sections });
  const path = join(root, "index.html");
  await writeFileAtomic(path, renderPage({ markdown, figures: new Map() }, { title, links }));
  return path;
}

function describeRun({ config, environment, summary }: RunRecord): readonly string[] {
  const scores = Object.entries(summary.scores).flatMap(([task, splits]) => {
    const main = mainScores(splits);
    if (main === null) return [];
    const { measure, value } = mainMeasure(main.scores);
    return [`${task} ${measure} ${formatPercent(value)} on ${main.split}`];
  });
  const { dataDir } = config;
  return [
    scores.join("; "),
    config.preset,
    config.precision,
    dataDir === null ? "Hub" : dataDir === "sample" ? "built-in sample" : "local",
    formatCount(summary.steps),
    typeof environment.started === "string" ? formatDate(environment.started) : "not recorded",
  ];
}

function describeExperiment(results: ExperimentResults, report: string): readonly string[] {
  const { experiment: { title, question, reference }, runs } = results;
  const findings = describeFindings(compareResults(results), reference);
  return [
    `### ${escapeMarkdown(title)}`,
    `${escapeMarkdown(question)} ${report}: ${runs.present} of ${runs.declared} runs. ` +
    `Baseline: **${escapeMarkdown(reference)}**.`,
    listFindings(findings),
  ];
}
