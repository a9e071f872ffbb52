/**
 * Share of one task among a run's batches over time, under several mixing strategies.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { MixingPlan } from "@/train/mixing.ts";
import type { Figure } from "./figure.ts";
import { colorOf, frameFigure } from "./frame.ts";

/** A plan with its name in the figure. */
type NamedPlan = { readonly name: string; readonly plan: MixingPlan };

/** Number of equal parts of a run in which batches are counted. */
const STRETCHES = 10;

/** Fraction of a task's batches among all batches in each tenth of a run. */
export function shareByTenth({ steps, tasksOfStep }: MixingPlan, task: string): readonly number[] {
  return Array.from({ length: STRETCHES }, (_, stretch) => {
    const from = Math.floor(stretch * steps / STRETCHES);
    const to = Math.floor((stretch + 1) * steps / STRETCHES);
    const batches = Array.from({ length: to - from }, (_, i) => tasksOfStep(from + i)).flat();
    return batches.filter((name) => name === task).length / Math.max(1, batches.length);
  });
}

/** Draws the share of one task's batches over the run, one line per mixing strategy. */
export function mixingFigure(
  plans: readonly NamedPlan[],
  { task }: { readonly task: string },
): Figure {
  const names = plans.map(({ name }) => name);
  const points = plans.flatMap(({ name, plan }) =>
    shareByTenth(plan, task).map((share, stretch) => ({
      name,
      through: 100 * (stretch + 0.5) / STRETCHES,
      share: 100 * share,
    }))
  );
  return frameFigure({
    title: `Batches of ${task} by mixing`,
    subtitle: "Share of all batches in each tenth of the run.",
    alt: plans.map(({ name, plan }) => {
      const shares = shareByTenth(plan, task).map((share) => `${(100 * share).toFixed(0)} %`);
      return `${name} begins at ${shares[0]} and ends at ${shares.at(-1)}`;
    }).join("; ") + ".",
    legend: names.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 260,
      marginLeft: 48,
      marginBottom: 40,
      x: { label: "Progress of the run (%)", domain: [0, 100] },
      y: { label: `Batches of ${task} (%)`, grid: true, zero: true, nice: true },
      color: {
        type: "categorical",
        domain: names,
        range: names.map((_, i) => colorOf(i)),
      },
      marks: [
        Plot.ruleY([0]),
        Plot.line(points, {
          x: "through",
          y: "share",
          z: "name",
          stroke: "name",
          strokeWidth: 2,
          strokeOpacity: 0.85,
        }),
        Plot.dot(points, { x: "through", y: "share", fill: "name", r: 3 }),
      ],
    },
  });
}
