/**
 * Interactive training curves of several runs.
 * @module
 */

import { COLORS } from "./frame.ts";
import { type HoverFigure, hoverFigure } from "./hover_figure.ts";
import type { RunRecord } from "../readers/run_record.ts";

/** A run with its name in the figure. */
export type NamedRecord = { readonly name: string; readonly record: Pick<RunRecord, "train"> };

/** Maximum number of points per run. */
const MOST = 60;

type LossPoint = { readonly run: string; readonly step: number; readonly loss: number };

/** Averages consecutive points so that at most {@link MOST} remain, each at the last step it covers. */
function thinLosses(points: readonly LossPoint[]): readonly LossPoint[] {
  const size = Math.ceil(points.length / MOST);
  const ends = points.filter((_, i) => (i + 1) % size === 0 || i === points.length - 1);
  return ends.map((end) => {
    const last = points.indexOf(end);
    const stretch = points.slice(last - last % size, last + 1);
    const mean = stretch.reduce((sum, { loss }) => sum + loss, 0) / stretch.length;
    return { ...end, loss: Number(mean.toFixed(5)) };
  });
}

/** Loss of one task by step for several runs; hovering shows step and loss. */
export async function lossComparison(
  runs: readonly NamedRecord[],
  task: string,
): Promise<HoverFigure> {
  const values = runs.flatMap(({ name, record }) =>
    thinLosses(record.train.flatMap(({ step, losses }) => {
      const loss = losses[task];
      return loss === undefined ? [] : [{ run: name, step, loss }];
    }))
  );
  const names = runs.map(({ name }) => name);
  const ends = names.map((name) => {
    const last = values.findLast(({ run }) => run === name);
    return `${name} ends at ${last === undefined ? "nothing" : last.loss.toFixed(3)}`;
  });
  return await hoverFigure({
    width: 560,
    height: 280,
    data: { values },
    mark: { type: "line", point: true, strokeWidth: 2, opacity: 0.85 },
    encoding: {
      x: { field: "step", type: "quantitative", title: "Step" },
      y: { field: "loss", type: "quantitative", title: "Cross entropy (nats)" },
      color: {
        field: "run",
        type: "nominal",
        scale: { domain: names, range: [...COLORS] },
      },
      tooltip: [{ field: "run" }, { field: "step" }, { field: "loss" }],
    },
  }, {
    title: `Training loss on ${task}`,
    alt: `Mean cross entropy since the previous point, in nats, by step: ${ends.join(", ")}.`,
  });
}
