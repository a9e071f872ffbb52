/**
 * Learning-rate plan of a run: the learning rate of every parameter group at every step.
 * @module
 */

import * as Plot from "@observablehq/plot";
import { type Schedule, SCHEDULES } from "@/config/config.ts";
import type { RunSummary } from "@/train/run_summary.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import type { Figure } from "./figure.ts";
import { formatRate } from "../format.ts";
import { colorOf, frameFigure } from "./frame.ts";
import type { RunRecord } from "../readers/run_record.ts";

/** A parameter group; `from` is the first step (counted from 1) in which it is trained. */
type PlannedGroup = Pick<
  RunSummary["groups"][number],
  "name" | "learningRate" | "from"
>;

/** The schedule of a run. */
type PlanOptions = {
  readonly schedule: Schedule;
  /** Fraction of the steps used for warm-up. */
  readonly warmup: number;
  /** Number of planned steps. */
  readonly steps: number;
  /** Step at which training stopped early; null if it did not. */
  readonly stopped?: number | null;
};

/** Approximate number of points per line, besides those where the group starts. */
const POINTS = 200;

/** Learning rate of a group at a step (counted from 1); 0 before the group is trained. */
export function rateAt(
  { learningRate, from = 1 }: PlannedGroup,
  step: number,
  { schedule, warmup, steps }: PlanOptions,
): number {
  return step < from ? 0 : learningRate * scheduleFactor(schedule, step - 1, { steps, warmup });
}

/** Learning rates by step; groups with the same rate and first step are drawn as one line. */
export function learningRatePlan(groups: readonly PlannedGroup[], options: PlanOptions): Figure {
  const { steps, stopped = null } = options;
  const lines = mergeAlike(groups);
  const color = colorScale(lines.length);
  const every = Math.max(1, Math.floor(steps / POINTS));
  const rising = options.warmup * steps; // end of a linear warm-up
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
    subtitle: `Learning rate of each parameter group by step.${
      stopped === null ? "" : " Dashed: end of training."
    }`,
    alt: `Learning rates of ${groups.length} groups over ${steps} steps; the highest is ${
      formatRate(peak)
    }${late.length > 0 ? `; ${late.length} of them with a later start` : ""}.`,
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

/** Merges neighboring groups with the same learning rate and first step. */
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

/** Color scale: the palette for up to six lines; else blues from light to dark, and another color for the heads. */
function colorScale(count: number): (index: number) => string {
  if (count <= 6) return colorOf;
  return (index) => {
    if (index === count - 1) return colorOf(1);
    const lightness = 78 - 48 * index / Math.max(1, count - 2);
    return `hsl(203, 75%, ${lightness.toFixed(0)}%)`;
  };
}

/** Plan of a recorded run; null if its configuration does not contain the schedule. */
export function planOfRun({ config, summary }: RunRecord): Figure | null {
  const { training } = config.json;
  if (typeof training !== "object" || training === null) return null;
  const settings = new Map<string, unknown>(Object.entries(training));
  const schedule = SCHEDULES.find((name) => name === settings.get("schedule"));
  const warmup = settings.get("warmup");
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
