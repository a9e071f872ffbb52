/**
 * The report of an experiment, from its declaration and the runs that are there.
 * @module
 */
import type { VariantSummary } from "@/experiment/compare_variants.ts";
import type { ExperimentResults } from "@/experiment/results.ts";
import type { Interval } from "@/eval/interval.ts";
import { variantDots } from "@/report/experiment_figure.ts";
import type { Figure } from "@/report/figure.ts";
import type { Report } from "@/report/markdown.ts";
import { escapeMarkdown, formatTable } from "@/report/tables.ts";

/** Percent with two decimals; differences carry their sign. */
const percent = (value: number) => (100 * value).toFixed(2);
const signed = (value: number) => `${value < 0 ? "−" : "+"}${percent(Math.abs(value))}`;
const between = ([low, high]: Interval) => `${signed(low)} to ${signed(high)}`;

/**
 * Writes the report; with no runs at all it says what is declared.
 *
 * @param summaries the variants compared, by `compareVariants`.
 */
export function composeExperimentReport(
  { experiment, runs, machines }: ExperimentResults,
  summaries: readonly VariantSummary[],
): Report {
  const { title, question, preset, base, reference, seeds, score } = experiment;
  const figures = new Map<string, Figure>();
  const tasks = [...new Set(summaries.map(({ task }) => task))];
  const parts = [
    `# ${escapeMarkdown(title)}`,
    `**Question.** ${escapeMarkdown(question)}`,
    `Preset \`${preset}\` with ${
      Object.entries(base).map(([key, value]) => `\`${key}=${JSON.stringify(value)}\``).join(", ")
    }; seeds ${seeds.join(", ")}. Scores are of the ${score} split; the reference is ` +
    `**${escapeMarkdown(reference)}**.`,
    ...(runs.present < runs.declared
      ? [
        `**Partial: ${runs.present} of ${runs.declared} runs are there.** Variants without a run are left out.`,
      ]
      : []),
    ...tasks.flatMap((task) => {
      const own = summaries.filter((summary) => summary.task === task);
      const measure = own[0]?.measure ?? "accuracy";
      const path = `figures/${encodeURIComponent(task)}.png`;
      const figure = variantDots(own, { task, measure, reference });
      figures.set(path, figure);
      return [
        `## ${escapeMarkdown(task)}: ${measure}`,
        `![${escapeMarkdown(`${figure.title}. ${figure.alt}`)}](${path})`,
        summaryTable(own),
      ];
    }),
    "## Variants",
    formatTable(
      ["Variant", "Differs from the base in"].map((head) => ({ head, align: "left" })),
      experiment.variants.map(({ name, set, tasks }) => [
        name,
        [
          ...Object.entries(set).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
          ...(tasks === undefined ? [] : [`tasks: ${tasks.join(", ")}`]),
        ].join(", ") || "nothing",
      ]),
    ),
    "## How to read this",
    NOTES.map((note) => `- ${note}`).join("\n"),
    ...(machines.length > 0 ? [`Made on: ${machines.map(escapeMarkdown).join("; ")}.`] : []),
    "## Make it again",
    `\`\`\`sh\ndeno task experiment outputs/experiments/${experiment.name}/experiment.json\n\`\`\``,
  ];
  return { markdown: parts.join("\n\n") + "\n", figures };
}

function summaryTable(summaries: readonly VariantSummary[]): string {
  return formatTable(
    [
      { head: "Variant", align: "left" },
      ...["Runs", "Mean (%)", "Standard deviation", "Difference", "95 % interval", "Pairs"]
        .map((head) => ({ head, align: "right" } as const)),
    ],
    summaries.map(({ variant, values, mean, deviation, difference }) => [
      variant,
      String(values.length),
      percent(mean),
      deviation === null ? "" : percent(deviation),
      difference === null ? "" : signed(difference.mean),
      difference?.interval ? between(difference.interval) : "",
      difference === null ? "" : String(difference.pairs),
    ]),
  );
}

const NOTES = [
  "Differences are those of runs with the same seed, so that the order of the data and the starting heads are shared; their interval is Student's t over the pairs.",
  "With three pairs the interval spans 4.3 standard errors to either side: it excludes 0 only for effects that are large beside the spread of seeds. An interval that holds 0 does not show that there is no effect.",
  "A screen trains a part of an epoch. What wins early need not win at the end.",
];
