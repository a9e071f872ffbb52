/**
 * Histograms of the Euclidean norms of embeddings, one per group.
 * @module
 */

import * as Plot from "@observablehq/plot";
import { l2Norm } from "@/eval/embedding_geometry.ts";
import type { Figure } from "./figure.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";

/** Embeddings of the same texts by one model. */
type EmbeddedGroup = {
  readonly name: string;
  readonly embeddings: readonly ArrayLike<number>[];
};

/** Number of bins over the norms of all groups. */
const BINS = 60;

/** Draws the norms of each group on a common axis that starts at 0; the line is the mean. */
export function normHistograms(groups: readonly EmbeddedGroup[]): Figure {
  const measured = groups.map(({ name, embeddings }) => ({
    name,
    norms: embeddings.map(l2Norm),
  }));
  const longest = Math.max(...measured.flatMap(({ norms }) => norms));
  const width = longest / BINS;
  const bars = measured.flatMap(({ name, norms }) => {
    const bins = Map.groupBy(norms, (norm) => Math.min(BINS - 1, Math.floor(norm / width)));
    return [...bins].map(([bin, inside]) => ({
      name,
      from: bin * width,
      to: (bin + 1) * width,
      share: 100 * inside.length / norms.length,
    }));
  });
  const means = measured.map(({ name, norms }) => ({
    name,
    mean: norms.reduce((sum, norm) => sum + norm, 0) / norms.length,
    low: Math.min(...norms),
    high: Math.max(...norms),
  }));
  const names = groups.map(({ name }) => name);
  return frameFigure({
    title: "Norms of the embeddings",
    subtitle: `Euclidean norms of ${
      groups[0]?.embeddings.length ?? 0
    } embeddings each; line: mean.`,
    alt: means.map(({ name, mean, low, high }) =>
      `${name}: mean ${mean.toFixed(2)}, from ${low.toFixed(2)} to ${high.toFixed(2)}`
    ).join("; ") + ".",
    plot: {
      height: 50 + 80 * groups.length,
      marginLeft: 48,
      marginRight: 24 + Math.max(...names.map(estimateWidth)),
      marginBottom: 40,
      x: { label: "Euclidean norm", domain: [0, longest], nice: true },
      y: { label: "Texts (%)", grid: true, ticks: 3 },
      fy: { label: null, domain: names },
      marks: [
        Plot.rectY(bars, {
          x1: "from",
          x2: "to",
          y: "share",
          fy: "name",
          fill: colorOf(0),
          fillOpacity: 0.8,
        }),
        Plot.ruleX(means, { x: "mean", fy: "name", stroke: colorOf(1), strokeWidth: 2 }),
        Plot.ruleY([0]),
      ],
    },
  });
}
