/**
 * The learning-rate plan of a run: the rate of every group at every step, as it was set up.
 * @module
 */

import * as Plot from "@observablehq/plot";
import { type Schedule, SCHEDULES } from "@/config.ts";
import type { RunSummary } from "@/train/run_summary.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import type { Figure } from "./figure.ts";
import { formatRate } from "./format.ts";
import { colorOf, frameFigure } from "./frame.ts";
import type { RunRecord } from "./run_record.ts";

/** What a line of the plan is drawn from; `from` is the step, counted from 1, in which it begins. */
export type PlannedGroup = Pick<
  RunSummary["groups"][number],
  "name" | "learningRate" | "from"
>;

/** How the rates rise and fall. */
export type PlanOptions = {
  readonly schedule: Schedule;
  /** Share of the steps over which the rates rise from zero. */
  readonly warmup: number;
  /** Steps that were planned. */
  readonly steps: number;
  /** Where training stopped, if before. */
  readonly stopped?: number | null;
};

/** Points of a line, beside those where its group begins. */
const POINTS = 200;

/** The rate of a group at a step, counted from 1: none before the group begins. */
export function rateAt(
  { learningRate, from = 1 }: PlannedGroup,
  step: number,
  { schedule, warmup, steps }: PlanOptions,
): number {
  return step < from ? 0 : learningRate * scheduleFactor(schedule, step - 1, { steps, warmup });
}

/** Rates by group over the steps; groups with the same rate and beginning are one line. */
export function learningRatePlan(groups: readonly PlannedGroup[], options: PlanOptions): Figure {
  const { steps, stopped = null } = options;
  const lines = mergeAlike(groups);
  const color = colorScale(lines.length);
  const every = Math.max(1, Math.floor(steps / POINTS));
  const rising = options.warmup * steps; // the corner of a linear warm-up
  const points = lines.flatMap((line, index) => {
    const { from = 1 } = line;
    const chosen = [1, from - 1, from, Math.floor(rising), Math.ceil(rising), steps];
    for (let step = 1; step <= steps; step += every) chosen.push(step);
    return [...new Set(chosen)].filter((step) => step >= 1 && step <= steps).sort((a, b) => a - b)
      .map((step) => ({ step, rate: rateAt(line, step, options), index }));
  });
  const peak = Math.max(...points.map(({ rate }) => rate));
  const late = lines.filter(({ from = 1 }) => from > 1);
  return frameFigure({
    title: "Learning-rate plan",
    subtitle: `Rate of each parameter group by step, as it was set up.${
      stopped === null ? "" : " Dashed: where training stopped."
    }`,
    alt: `Learning rates of ${groups.length} groups over ${steps} steps, the highest ${
      formatRate(peak)
    }${late.length > 0 ? `; ${late.length} of them begin late` : ""}.`,
    legend: lines.map(({ name, learningRate }, index) => ({
      label: `${name} ${formatRate(learningRate)}`,
      color: color(index),
    })).reverse(),
    plot: {
      height: 270,
      marginLeft: 64,
      marginBottom: 40,
      x: { label: "Step", nice: true },
      y: { label: "Learning rate", grid: true, zero: true, nice: true, tickFormat: formatRate },
      marks: [
        Plot.ruleY([0]),
        ...(stopped === null ? [] : [Plot.ruleX([stopped], { strokeDasharray: "6,4" })]),
        ...lines.map((_, index) =>
          Plot.line(points.filter((point) => point.index === index), {
            x: "step",
            y: "rate",
            stroke: color(index),
            strokeWidth: 2,
          })
        ),
      ],
    },
  });
}

/** Neighboring groups that learn alike, as one. */
function mergeAlike(groups: readonly PlannedGroup[]): PlannedGroup[] {
  const merged: { first: string; group: PlannedGroup }[] = [];
  for (const group of groups) {
    const last = merged.at(-1);
    const alike = last?.group.learningRate === group.learningRate && last.group.from === group.from;
    if (last !== undefined && alike) {
      last.group = { ...group, name: `${last.first} – ${group.name}` };
    } else merged.push({ first: group.name, group });
  }
  return merged.map(({ group }) => group);
}

/** Colors apart for a few lines; for many, blues from light to dark and the last (the heads) apart. */
function colorScale(count: number): (index: number) => string {
  if (count <= 6) return colorOf;
  return (index) => {
    if (index === count - 1) return colorOf(1);
    const lightness = 78 - 48 * index / Math.max(1, count - 2);
    return `hsl(203, 75%, ${lightness.toFixed(0)}%)`;
  };
}

/** The plan of a recorded run; null where its configuration does not tell the schedule. */
export function planOfRun({ config, summary }: RunRecord): Figure | null {
  const { training } = config.json;
  if (typeof training !== "object" || training === null) return null;
  const told = new Map<string, unknown>(Object.entries(training));
  const schedule = SCHEDULES.find((name) => name === told.get("schedule"));
  const warmup = told.get("warmup");
  if (schedule === undefined || typeof warmup !== "number" || summary.groups.length === 0) {
    return null;
  }
  const { steps, plannedSteps } = summary;
  return learningRatePlan(summary.groups, {
    schedule,
    warmup,
    steps: plannedSteps ?? steps,
    stopped: plannedSteps === undefined ? null : steps,
  });
}
