/**
 * Composes the report of an experiment from its declaration and its available runs, and writes it beside the declaration.
 * Sentences on the findings are generated from the numbers. The same inputs always give the same bytes.
 * @module
 */

import { compareResults, type VariantSummary } from "./compare_variants.ts";
import type { Interval, PairedDifference } from "@/statistics.ts";
import { type CurveRow, type ExperimentResults, readResults } from "./results.ts";
import { learningCurves, variantDots } from "@/report/figures/experiment_figures.ts";
import { composeDocument, type Section } from "@/report/document.ts";
import type { Figure } from "@/report/figures/figure.ts";
import { formatPoints } from "@/report/format.ts";
import type { Report } from "@/report/markdown.ts";
import { escapeMarkdown, formatTable } from "@/report/tables.ts";
import { join } from "node:path";
import type { RunPool } from "./run_pool.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { writeReportFiles } from "@/report/write_report.ts";

/** Formats a fraction as percent with two decimals. */
const percent = (value: number) => (100 * value).toFixed(2);
const between = ([low, high]: Interval) => `${formatPoints(low)} to ${formatPoints(high)}`;

/**
 * Composes the report from the available runs.
 *
 * @param summaries the result of `compareVariants`.
 */
function composeExperimentReport(
  { experiment, runs, machines, starts, curves }: ExperimentResults,
  summaries: readonly VariantSummary[],
): Report {
  const { title, question, preset, base, reference, seeds, score } = experiment;
  const figures = new Map<string, Figure>();
  const findings = describeFindings(summaries, reference);
  /** Adds a figure and returns the Markdown that shows it. */
  const place = (name: string, figure: Figure) => {
    const path = `figures/${encodeURIComponent(name)}.png`;
    figures.set(path, figure);
    return `![${escapeMarkdown(`${figure.title}. ${figure.alt}`)}](${path})`;
  };
  const lead = [
    `**Question.** ${escapeMarkdown(question)}`,
    listFindings(findings),
    `Preset \`${preset}\` with ${
      Object.entries(base).map(([key, value]) => `\`${key}=${JSON.stringify(value)}\``).join(", ")
    }. Seeds ${seeds.join(", ")}. Scores are on the ${score} split. Baseline: ` +
    `**${escapeMarkdown(reference)}**.`,
    ...(runs.present < runs.declared
      ? [
        `**Incomplete: ${runs.present} of ${runs.declared} runs are available.** Variants without runs are omitted.`,
      ]
      : []),
  ];
  const sections: Section[] = [
    ...findings.map(({ task }) => {
      const own = summaries.filter((summary) => summary.task === task);
      const measure = own[0]?.measure ?? "accuracy";
      return {
        heading: `${task}: ${measure}`,
        parts: [
          place(task, variantDots(own, { task, measure, reference })),
          summaryTable(own),
          ...curveFigures(curves.filter((row) => row.task === task), { task, reference })
            .map(([name, figure]) => place(`${task}-${name}`, figure)),
        ],
      };
    }),
    {
      heading: "Variants",
      parts: [formatTable(
        ["Variant", "Difference from the base configuration"].map((head) => ({
          head,
          align: "left",
        })),
        experiment.variants.map(({ name, set, tasks }) => [
          name,
          [
            ...Object.entries(set).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
            ...(tasks === undefined ? [] : [`tasks: ${tasks.join(", ")}`]),
          ].join(", ") || "none",
        ]),
      )],
    },
    { heading: "How to read this", parts: [NOTES.map((note) => `- ${note}`).join("\n")] },
    {
      heading: "Reproduce",
      parts: [
        `\`\`\`sh\ndeno task experiment outputs/experiments/${experiment.name}/experiment.json\n\`\`\``,
        ...describeOrigin(machines, starts),
      ],
    },
  ];
  return { markdown: composeDocument({ title, lead, sections }), figures };
}

/** Machines, dates and commits of the runs, as far as they were recorded. */
function describeOrigin(
  machines: readonly string[],
  { dates, commits }: ExperimentResults["starts"],
): string[] {
  const [first, last] = [dates[0], dates.at(-1)].map((date) => date?.slice(0, 10));
  return [
    ...machines.length > 0 ? [`Trained on: ${machines.map(escapeMarkdown).join("; ")}.`] : [],
    ...first !== undefined
      ? [`Runs started: ${first === last ? first : `${first} to ${last}`}.`]
      : [],
    ...commits.length > 0 ? [`Code: ${commits.map(escapeMarkdown).join("; ")}.`] : [],
  ];
}

function summaryTable(summaries: readonly VariantSummary[]): string {
  return formatTable(
    [
      { head: "Variant", align: "left" },
      ...["Runs", "Mean (%)", "Standard deviation", "Difference (points)", "95 % interval", "Pairs"]
        .map((head) => ({ head, align: "right" } as const)),
    ],
    summaries.map(({ variant, values, mean, deviation, difference }) => [
      variant,
      String(values.length),
      percent(mean),
      deviation === null ? "" : percent(deviation),
      difference === null ? "" : formatPoints(difference.mean),
      difference === null ? "" : difference.interval ? between(difference.interval) : "none",
      difference === null ? "" : String(difference.pairs),
    ]),
  );
}

/** Curves of one task: its loss, and its validation score if runs were evaluated during training. */
export function curveFigures(
  rows: readonly CurveRow[],
  { task, reference }: { readonly task: string; readonly reference: string },
): readonly (readonly [name: string, figure: Figure])[] {
  const losses = rows.filter(({ measure }) => measure === "loss");
  const scores = rows.filter(({ measure }) => measure !== "loss");
  const measure = scores[0]?.measure ?? "accuracy";
  const onTheWay =
    new Set(scores.map(({ variant, step }) => JSON.stringify([variant, step]))).size >
      new Set(scores.map(({ variant }) => variant)).size;
  return [
    ...(losses.length === 0 ? [] : [
      [
        "loss",
        learningCurves(losses, {
          title: `${task}: training loss by variant`,
          y: "Cross entropy (nats)",
          scale: "log",
          reference,
        }),
      ] as const,
    ]),
    ...(onTheWay
      ? [
        [
          "validation",
          learningCurves(scores.map((row) => ({ ...row, value: 100 * row.value })), {
            title: `${task}: ${measure} on validation by variant`,
            y: `${measure} (%)`,
            scale: "linear",
            reference,
          }),
        ] as const,
      ]
      : []),
  ];
}

const NOTES = [
  "Differences are paired: they compare runs with the same seed, which share the order of the data and the initial task heads. Their interval is Student's t over the pairs; a single pair has none.",
  "An interval excludes 0 only if the effect is large compared with the spread over seeds: it extends 12.7 standard errors to either side with two pairs, 4.3 with three, 2.8 with five.",
  "An interval that contains 0 does not show that there is no effect.",
  "Scores are multiples of one row, so the standard deviation of differences is taken to be at least one row.",
  "Variants with fewer than three pairs are shown, but not called better or worse.",
  "Intervals are not corrected for the number of variants: of twenty variants without any effect, about one is expected to have an interval that excludes 0.",
  "The learning rate falls to 0 over the steps of a run, so a run with few steps is a short training and not the beginning of a long one. A variant that is better here need not be better in a longer training.",
];

/** Findings on one task, a claim per sentence. */
type Findings = { readonly task: string; readonly sentences: readonly string[] };

/** Per task, sentences that say which variants differ significantly from the baseline. */
export function describeFindings(
  summaries: readonly VariantSummary[],
  reference: string,
): readonly Findings[] {
  return [...Map.groupBy(summaries, ({ task }) => task)].map(([task, own]) => {
    const compared = own.flatMap(({ variant, difference }) =>
      difference === null ? [] : [{ variant, difference }]
    );
    return { task, sentences: describeTask(compared, reference) };
  });
}

/** Minimum number of pairs to call a difference significant; the spread of two pairs is hardly known. */
const MIN_PAIRS = 3;

type Compared = { readonly variant: string; readonly difference: PairedDifference };

function describeTask(compared: readonly Compared[], reference: string): readonly string[] {
  if (compared.length === 0) {
    return [`Nothing to compare yet: no other variant has a run with a seed of ${reference}.`];
  }
  const known = compared.filter(({ difference }) => difference.pairs >= MIN_PAIRS);
  const few = compared.filter((each) => !known.includes(each));
  const list = (variants: readonly Compared[]) =>
    variants.map(({ variant, difference: { mean, pairs } }) =>
      `${variant} (${formatPoints(mean)}, n = ${pairs})`
    ).join(", ");
  const above = known.filter(({ difference: { interval } }) =>
    interval !== null && interval[0] > 0
  );
  const below = known.filter(({ difference: { interval } }) =>
    interval !== null && interval[1] < 0
  );
  const insignificant = known.filter((each) => !above.includes(each) && !below.includes(each));
  return [
    ...(above.length > 0
      ? [`Better than the baseline (95 % interval excludes 0): ${list(above)}.`]
      : []),
    ...(below.length > 0
      ? [`Worse than the baseline (95 % interval excludes 0): ${list(below)}.`]
      : []),
    ...(insignificant.length > 0
      ? [`Not significantly different from the baseline: ${list(insignificant)}.`]
      : []),
    ...(few.length > 0
      ? [`Too few seeds to compare (fewer than ${MIN_PAIRS}): ${list(few)}.`]
      : []),
  ];
}

/** Markdown list with an item per task and a nested item per sentence. */
export function listFindings(findings: readonly Findings[]): string {
  return findings.flatMap(({ task, sentences }) => [
    `- **${escapeMarkdown(task)}**`,
    ...sentences.map((sentence) => `  - ${escapeMarkdown(sentence)}`),
  ]).join("\n");
}

/**
 * Writes `results.json`, `report.md`, `report.html` and `figures/` into the folder of the experiment, if at least
 * one of its runs is available. Returns the number of available runs.
 */
export async function writeExperimentReport(folder: string, pool: RunPool): Promise<number> {
  const results = await readResults(folder, pool);
  if (results.runs.present === 0) return 0;
  const { experiment: { title }, rows, runs } = results;
  const summaries = compareResults(results);
  const content = JSON.stringify({ runs, summaries, rows }, null, 1) + "\n";
  await writeFileAtomic(join(folder, "results.json"), content);
  await writeReportFiles(folder, composeExperimentReport(results, summaries), { title });
  return runs.present;
}
