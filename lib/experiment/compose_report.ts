/**
 * The report of an experiment, from its declaration and the runs that are there.
 * @module
 */
import type { VariantSummary } from "@/experiment/compare_variants.ts";
import type { CurveRow, ExperimentResults } from "@/experiment/results.ts";
import type { Interval } from "@/eval/interval.ts";
import { tellFindings } from "@/experiment/tell_findings.ts";
import { learningCurves } from "@/report/experiment_curves.ts";
import { composeDocument, type Section } from "@/report/document.ts";
import { variantDots } from "@/report/experiment_figure.ts";
import type { Figure } from "@/report/figure.ts";
import { formatPoints } from "@/report/format.ts";
import type { Report } from "@/report/markdown.ts";
import { escapeMarkdown, formatTable } from "@/report/tables.ts";

/** Percent with two decimals. */
const percent = (value: number) => (100 * value).toFixed(2);
const between = ([low, high]: Interval) => `${formatPoints(low)} to ${formatPoints(high)}`;

/**
 * Writes the report of what is there.
 *
 * @param summaries the variants compared, by `compareVariants`.
 */
export function composeExperimentReport(
  { experiment, runs, machines, starts, curves }: ExperimentResults,
  summaries: readonly VariantSummary[],
): Report {
  const { title, question, preset, base, reference, seeds, score } = experiment;
  const figures = new Map<string, Figure>();
  const findings = tellFindings(summaries, reference);
  /** Keeps a figure and gives the Markdown that shows it. */
  const place = (name: string, figure: Figure) => {
    const path = `figures/${encodeURIComponent(name)}.png`;
    figures.set(path, figure);
    return `![${escapeMarkdown(`${figure.title}. ${figure.alt}`)}](${path})`;
  };
  const lead = [
    `**Question.** ${escapeMarkdown(question)}`,
    findings.map(({ task, text }) => `- **${escapeMarkdown(task)}**: ${escapeMarkdown(text)}`)
      .join("\n"),
    `Preset \`${preset}\` with ${
      Object.entries(base).map(([key, value]) => `\`${key}=${JSON.stringify(value)}\``).join(", ")
    }; seeds ${seeds.join(", ")}. Scores are of the ${score} split; the reference is ` +
    `**${escapeMarkdown(reference)}**.`,
    ...(runs.present < runs.declared
      ? [
        `**Partial: ${runs.present} of ${runs.declared} runs are there.** Variants without a run are left out.`,
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
        ["Variant", "Differs from the base in"].map((head) => ({ head, align: "left" })),
        experiment.variants.map(({ name, set, tasks }) => [
          name,
          [
            ...Object.entries(set).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
            ...(tasks === undefined ? [] : [`tasks: ${tasks.join(", ")}`]),
          ].join(", ") || "nothing",
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

/** On what, when and from which code the runs were made, as far as it was recorded. */
function describeOrigin(
  machines: readonly string[],
  { dates, commits }: ExperimentResults["starts"],
): string[] {
  const [first, last] = [dates[0], dates.at(-1)].map((date) => date?.slice(0, 10));
  return [
    ...machines.length > 0 ? [`Made on: ${machines.map(escapeMarkdown).join("; ")}.`] : [],
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

/** The curves of one task: its loss and, where runs were scored on their way, the score on validation. */
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
  "Differences are those of runs with the same seed, so that the order of the data and the starting heads are shared; their interval is Student's t over the pairs. One pair has none.",
  "To either side the interval spans 12.7 standard errors with two pairs, 4.3 with three, 2.8 with five: it excludes 0 only for effects that are large beside the spread of seeds. An interval that holds 0 does not show that there is no effect.",
  "Scores are counted in rows, so the spread of differences is taken for one row at least. Fewer than three pairs are shown, and nothing is said of them.",
  "Intervals are not widened for the number of variants: of twenty that change nothing, about one would exclude 0.",
  "The rate falls to 0 over the steps of a run: few steps are a short training, not the beginning of a long one. What wins there need not win in a longer one.",
];
