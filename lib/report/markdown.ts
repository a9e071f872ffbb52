/**
 * Composes the Markdown report of a run from its record: main scores first, then the details.
 * @module
 */

import { isObject } from "@/schema.ts";
import type { EntityScores } from "@/eval/entities.ts";
import {
  describeLearningCurve,
  describeVerdict,
  LEARNING_CURVE_NOTES,
  VERDICT_NOTES,
  verdictTable,
} from "./verdicts.ts";
import { learningCurveFigure } from "./figures/learning_curve_figure.ts";
import { composeDocument, fold, type Section } from "./document.ts";
import type { Figure } from "./figures/figure.ts";
import { formatCount, formatDuration, formatPercent } from "./format.ts";
import { isClassification, mainScores, type RunRecord } from "./readers/run_record.ts";
import {
  calibrationTable,
  classificationTable,
  classTable,
  dataTable,
  entityTable,
  environmentTable,
  errorTable,
  escapeMarkdown,
  evaluationTable,
  formatTable,
  groupTable,
  headlineTable,
  typeTable,
} from "./tables.ts";
import { describeErrors } from "./describe_errors.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import { rows } from "./readers/read_run.ts";
import { planOfRun } from "./figures/learning_rate_plan.ts";
import {
  confusionMatrix,
  entityBars,
  errorBars,
  reliabilityDiagram,
} from "./figures/score_figures.ts";
import {
  gradientNormCurve,
  lossCurve,
  rateBars,
  scheduleCurve,
  validationCurve,
} from "./figures/training_figures.ts";

/** A report and its figures by path. */
export type Report = {
  readonly markdown: string;
  /** Keys such as `figures/losses.png`. */
  readonly figures: ReadonlyMap<string, Figure>;
};

/** Composes the report of a run. */
export function composeReport(record: RunRecord): Report {
  const figures = new Map<string, Figure>();
  const show = (drawn: ReadonlyMap<string, Figure>) =>
    drawn.size === 0 ? [] : [
      [...drawn].map(([name, figure]) => {
        const path = `figures/${encodeURIComponent(name)}.png`;
        figures.set(path, figure);
        return `![${escapeMarkdown(`${figure.title}. ${figure.alt}`)}](${path})`;
      }).join("\n"),
    ];
  const { summary } = record;
  const sections: Section[] = [
    ...(record.verdicts.length === 0 ? [] : [{
      heading: "Was it worth it?",
      parts: [
        listNotes(record.verdicts.map(describeVerdict)),
        verdictTable(record.verdicts),
        listNotes(VERDICT_NOTES),
      ],
    }]),
    ...(record.learningCurves.length === 0 ? [] : [{
      heading: "Would more rows help?",
      parts: [
        listNotes(record.learningCurves.map(describeLearningCurve)),
        ...show(new Map([["learning-curve", learningCurveFigure(record.learningCurves)]])),
        listNotes(LEARNING_CURVE_NOTES),
      ],
    }]),
    {
      heading: "Scores",
      parts: [
        ...present(classificationTable(summary)),
        ...present(entityTable(summary)),
        listNotes(SCORE_NOTES),
        ...describeCalibration(record),
      ],
    },
    ...Object.entries(summary.scores).flatMap(([task, splits]) => {
      const main = mainScores(splits);
      if (main === null) return [];
      const { scores, split } = main;
      const wrong = describeErrors(record, { task, ...main });
      return [{
        heading: `${task}: ${isClassification(scores) ? "classes" : "entity types"}, ${split}`,
        parts: [
          isClassification(scores) ? classTable(scores) : typeTable(scores),
          ...show(taskFigures(task, scores, split)),
          ...(wrong.length === 0 ? [] : [
            `### ${escapeMarkdown(`${task}: errors`)}`,
            ...isClassification(scores) ? [] : describeEntityErrors(scores),
            ...wrong,
          ]),
        ],
      }];
    }),
    {
      heading: "Training",
      parts: [
        describeTraining(record),
        ...show(trainingFigures(record)),
        ...foldTable("Scores at each evaluation", evaluationTable(record)),
        ...fold("Learning rates, gradients and parameter groups", [
          ...show(optimizerFigures(record)),
          groupTable(summary),
        ]),
      ],
    },
    {
      heading: "Data",
      parts: [
        dataTable(record),
        ...summary.notes.length > 0
          ? [listNotes(summary.notes.map((note) => escapeMarkdown(note)))]
          : [],
      ],
    },
    { heading: "Reproduce", parts: describeReproduction(record) },
    {
      heading: "Environment",
      parts: fold("Processor, executor and versions", [environmentTable(record.environment)]),
    },
    {
      heading: "Configuration",
      parts: fold("config.json", [fence("json", JSON.stringify(record.config.json, null, 2))]),
    },
  ];
  const markdown = composeDocument({
    title: summary.name,
    lead: [...present(headlineTable(summary)), describeRun(record), ...present(factTable(record))],
    sections,
  });
  return { markdown, figures };
}

const SCORE_NOTES = [
  "Intervals are 95 % bootstrap intervals over the rows of the split. They do not cover the choice of the seed.",
  "Entity F1, precision and recall follow the rules of conlleval. Strict F1 counts only entities that begin with a B- tag (IOB2).",
  "Token accuracy is high for any tagger, because most words belong to no entity.",
  "`test-unseen` leaves out the test rows whose text is also in train.",
];

/** Calibration table with explanations; empty if no split has probabilities. */
function describeCalibration({ summary }: RunRecord): string[] {
  const table = calibrationTable(summary);
  return table === null ? [] : ["### Calibration", table, listNotes(CALIBRATION_NOTES)];
}

const CALIBRATION_NOTES = [
  "The expected calibration error is the difference between confidence and accuracy, averaged over rows in 15 bins.",
  "The temperature divides the logits and is fitted on validation. Above 1 the model was overconfident. It changes no prediction. " +
  "On validation the error at this temperature is that of the rows it was fitted on.",
];

/** Table of entity errors by category; empty if they were not counted. */
function describeEntityErrors(scores: EntityScores): string[] {
  const errors = errorTable(scores);
  return errors === null ? [] : [ERROR_NOTE, errors];
}

const ERROR_NOTE =
  "Each wrong entity counts once. **Boundary**: it overlaps an entity of its type with other bounds. " +
  "**Type**: the same words have another type. **Both**: it overlaps an entity of another type. " +
  "**Missed**: nothing was predicted there. **Invented**: there is no entity there.";

function listNotes(notes: readonly string[]): string {
  return notes.map((note) => `- ${note}`).join("\n");
}

/** One paragraph: model, data, tasks and number of runs. */
function describeRun({ config, environment, summary }: RunRecord): string {
  const where = ["device", "executor"].flatMap((key) =>
    typeof environment[key] === "string" ? [environment[key]] : []
  );
  const tasks = config.tasks.map(({ name }) => name).join(", ");
  const sentences = [
    `Preset ${config.preset}, tasks ${tasks}: ${
      formatCount(summary.parameters)
    } parameters, ${config.precision}${where.length > 0 ? `, ${where.join(" / ")}` : ""}.`,
    `One run with seed ${config.seed}.`,
  ].map(escapeMarkdown);
  if (config.dataDir === "sample") {
    sentences.push(
      "**This is a sample run**: its data are the project's own generated sentences, so its scores say nothing about AG News or CoNLL-2003.",
    );
  }
  if (config.maxRows !== null) {
    sentences.push(
      `**This run used a part of the data**: at most ${
        formatCount(config.maxRows)
      } rows of each split.`,
    );
  }
  if (config.maxSteps !== null) {
    sentences.push(`Training was limited to ${formatCount(config.maxSteps)} steps.`);
  }
  return sentences.join(" ");
}

/** Start time, commit and command of the run; null if none of them was recorded. */
function factTable({ environment }: RunRecord): string | null {
  if (!["started", "commit", "command"].some((key) => typeof environment[key] === "string")) {
    return null;
  }
  const tell = (key: string) => {
    const value = environment[key];
    return typeof value === "string" ? value : "not recorded";
  };
  const resumed = Array.isArray(environment.resumed) ? environment.resumed : [];
  const steps = resumed.flatMap((entry: unknown) =>
    isObject(entry) && typeof entry.step === "number" ? [`step ${formatCount(entry.step)}`] : []
  );
  return formatTable([{ head: "Run", align: "left" }, { head: "", align: "left" }], [
    ["Started", formatDate(tell("started"))],
    ...steps.length > 0 ? [["Resumed", steps.join(", ")]] : [],
    ["Commit", tell("commit")],
    ["Command", tell("command")],
  ]);
}

/** Formats an ISO 8601 date to the minute; returns other text unchanged. */
export function formatDate(text: string): string {
  return text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:[\d.]+)?Z$/, "$1 $2 UTC");
}

/** One paragraph: duration of training, the selected model, skipped steps. */
function describeTraining({ summary, train }: RunRecord): string {
  const { steps, tokens, seconds, best } = summary;
  const sentences = [
    `${formatCount(steps)} steps over ${formatCount(tokens)} tokens in ${
      formatDuration(seconds.train)
    }; evaluation took ${formatDuration(seconds.evaluate)}.`,
  ];
  if (best !== undefined) {
    sentences.push(
      `The saved model is that of step ${formatCount(best.step)}, the best by ${
        escapeMarkdown(best.metric)
      } on validation: ${formatPercent(best.value)} %.`,
    );
  }
  const last = train.at(-1);
  if (last?.skipped !== undefined) {
    sentences.push(
      `${
        formatCount(last.skipped)
      } steps were skipped, because a gradient was not finite; the loss scale ended at ${
        formatCount(last.lossScale ?? NaN)
      }.`,
    );
  }
  return sentences.join(" ");
}

function describeReproduction({ config, summary }: RunRecord): string[] {
  const folder = `outputs/${summary.name}`;
  return [
    fence("sh", `deno task train --config ${folder}/config.json --out ${folder}-again`),
    "The same configuration, machine, executor and thread count give the same losses and scores; " +
    "on other machines, rounding may differ." +
    (config.dataDir === null || config.dataDir === "sample"
      ? ""
      : " The configuration names a data folder: pass your own with `--data DIR`."),
    `This report and its figures are rebuilt from the other files of the run by \`deno task report ${folder}\`.`,
  ];
}

function present(part: string | null): string[] {
  return part === null ? [] : [part];
}

function foldTable(summary: string, table: string | null): string[] {
  return table === null ? [] : fold(summary, [table]);
}

/** A code block whose fence is longer than any in its content. */
function fence(language: string, content: string): string {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
  const mark = "`".repeat(longest + 1);
  return `${mark}${language}\n${content}\n${mark}`;
}

/** Loss by step, and validation scores by step if the run was evaluated during training. */
export function trainingFigures(record: RunRecord): Map<string, Figure> {
  const figures = new Map<string, Figure>();
  if (record.train.length > 0) figures.set("losses", lossCurve(rows(record)));
  const validation = validationCurve(record.evaluations);
  if (validation !== null) figures.set("validation", validation);
  return figures;
}

/** Figures of learning rates and gradients, as far as the run recorded them. */
export function optimizerFigures(record: RunRecord): Map<string, Figure> {
  const figures = new Map<string, Figure>();
  const tidy = rows(record);
  if (record.train.length > 0) {
    figures.set("schedule", scheduleCurve(tidy));
    figures.set("gradient-norm", gradientNormCurve(tidy, { clipNorm: record.config.clipNorm }));
  }
  if (record.summary.groups.length > 0) figures.set("rates", rateBars(record.summary.groups));
  const plan = planOfRun(record);
  if (plan !== null) figures.set("learning-rate-plan", plan);
  return figures;
}

/** Figures of one task's scores. */
export function taskFigures(task: string, scores: TaskScores, split: string): Map<string, Figure> {
  if (!isClassification(scores)) {
    const figures = new Map([[`entities-${task}`, entityBars(scores, { task, split })]]);
    if (scores.errors !== undefined) {
      figures.set(`errors-${task}`, errorBars(scores.errors, { task, split }));
    }
    return figures;
  }
  const figures = new Map([[`confusion-${task}`, confusionMatrix(scores, { task, split })]]);
  const { bins, ece } = scores;
  if (bins !== undefined && ece !== undefined) {
    figures.set(`reliability-${task}`, reliabilityDiagram(bins, { task, split, ece }));
  }
  return figures;
}
