/**
 * The report of a run in Markdown, from its record alone: scores first, then what stands behind them.
 * @module
 */

import type { EntityScores } from "@/eval/entities.ts";
import type { Figure } from "./figure.ts";
import { formatCount, formatDuration, formatPercent } from "./format.ts";
import { mainScores, taskFigures, trainingFigures } from "./run_figures.ts";
import { isClassification, type RunRecord } from "./run_record.ts";
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
  groupTable,
  typeTable,
} from "./tables.ts";

/** A report and the figures that it shows, by their paths in it. */
export type Report = {
  readonly markdown: string;
  /** Keys such as `figures/losses.png`. */
  readonly figures: ReadonlyMap<string, Figure>;
};

/** Writes the report of `record`. */
export function composeReport(record: RunRecord): Report {
  const figures = new Map<string, Figure>();
  const show = (drawn: ReadonlyMap<string, Figure>) =>
    [...drawn].map(([name, figure]) => {
      const path = `figures/${encodeURIComponent(name)}.png`;
      figures.set(path, figure);
      return `![${escapeMarkdown(`${figure.title}. ${figure.alt}`)}](${path})`;
    });
  const { summary } = record;
  const parts = [
    `# ${escapeMarkdown(summary.name)}`,
    describeRun(record),
    "## Scores",
    ...present(classificationTable(summary)),
    ...present(entityTable(summary)),
    listNotes(SCORE_NOTES),
    ...describeCalibration(record),
    ...Object.entries(summary.scores).flatMap(([task, splits]) => {
      const main = mainScores(splits);
      if (main === null) return [];
      const { scores, split } = main;
      return [
        `## ${
          escapeMarkdown(
            `${task}: ${isClassification(scores) ? "classes" : "entity types"}, ${split}`,
          )
        }`,
        ...isClassification(scores) ? [classTable(scores)] : describeEntities(scores),
        ...show(taskFigures(task, scores, split)),
      ];
    }),
    "## Training",
    describeTraining(record),
    ...present(evaluationTable(record)),
    ...show(trainingFigures(record)),
    groupTable(summary),
    "## Data",
    dataTable(record),
    ...(summary.notes.length > 0
      ? ["## Notes", listNotes(summary.notes.map((note) => escapeMarkdown(note)))]
      : []),
    "## Environment",
    environmentTable(record.environment),
    "## Reproduce",
    ...describeReproduction(record),
    "## Configuration",
    fence("json", JSON.stringify(record.config.json, null, 2)),
  ];
  return { markdown: parts.join("\n\n") + "\n", figures };
}

const SCORE_NOTES = [
  "Intervals are 95 % bootstrap intervals over the rows of the split; they do not cover the choice of the seed.",
  "Entity F1, precision and recall follow the rules of conlleval; strict F1 counts only entities that begin with a B- tag (IOB2).",
  "Token accuracy is high for any tagger, as most words are no entity: it is no score of entities.",
  "`test-unseen` leaves out the test rows whose text is also in train.",
];

/** Calibration with what its numbers mean; nothing where no split has probabilities. */
function describeCalibration({ summary }: RunRecord): string[] {
  const table = calibrationTable(summary);
  return table === null ? [] : ["### Calibration", table, listNotes(CALIBRATION_NOTES)];
}

const CALIBRATION_NOTES = [
  "The expected calibration error is the distance of confidence and accuracy, averaged over rows in 15 bins.",
  "The temperature divides the logits and is fitted on validation: above 1 the model was too sure. It changes no prediction; " +
  "on validation itself the error at it is of the rows that it was fitted on.",
];

/** Scores of entity types, and their errors by kind where they were counted. */
function describeEntities(scores: EntityScores): string[] {
  const errors = errorTable(scores);
  return [typeTable(scores), ...errors === null ? [] : [ERROR_NOTE, errors]];
}

const ERROR_NOTE =
  "Each entity that is not right counts once: **boundary**: it overlaps one of its type with other bounds; " +
  "**type**: the same words have another type; **both**: it overlaps one of another type; **missed**: nothing was predicted " +
  "there; **invented**: nothing is there.";

function listNotes(notes: readonly string[]): string {
  return notes.map((note) => `- ${note}`).join("\n");
}

/** One paragraph: what was trained, on what, with how many runs behind the numbers. */
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

/** One paragraph: how long it trained, which of its models was kept, what it had to skip. */
function describeTraining({ summary, train }: RunRecord): string {
  const { steps, tokens, seconds, best } = summary;
  const sentences = [
    `${formatCount(steps)} steps over ${formatCount(tokens)} word pieces in ${
      formatDuration(seconds.train)
    }; evaluation took ${formatDuration(seconds.evaluate)}.`,
  ];
  if (best !== undefined) {
    sentences.push(
      `The model kept is that of step ${formatCount(best.step)}, the best by ${
        escapeMarkdown(best.metric)
      } on validation: ${formatPercent(best.value)} %.`,
    );
  }
  const last = train.at(-1);
  if (last?.skipped !== undefined) {
    sentences.push(
      `${
        formatCount(last.skipped)
      } steps were skipped, as a gradient was not finite; the loss scale ended at ${
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
    "elsewhere rounding may differ." +
    (config.dataDir === null || config.dataDir === "sample"
      ? ""
      : " The configuration names a data folder: give your own with `--data DIR`."),
    `This report and its figures are rebuilt from the other files of the run by \`deno task report ${folder}\`.`,
  ];
}

function present(part: string | null): string[] {
  return part === null ? [] : [part];
}

/** A code block that no content can end early. */
function fence(language: string, content: string): string {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
  const mark = "`".repeat(longest + 1);
  return `${mark}${language}\n${content}\n${mark}`;
}
