/**
 * Figures of sentence embeddings: histograms of cosines and of Euclidean norms, and projections onto a plane.
 * @module
 */

import * as Plot from "@observablehq/plot";
import { l2Norm, type PairCosines, type Plane, separation } from "@/eval/embedding_geometry.ts";
import type { Figure } from "./figure.ts";
import { formatCount } from "../format.ts";
import { colorOf, COLORS, estimateWidth, frameFigure } from "./frame.ts";
import { type HoverFigure, hoverFigure } from "./hover_figure.ts";

/** Cosines of one group of embeddings, such as one pooling. */
type PairGroup = PairCosines & { readonly name: string };

const KINDS = ["same topic", "different topics"] as const;

/** Number of bins from -1 to 1. */
const COSINE_BINS = 80;

/** Histograms of the cosines of pairs with the same topic and with different topics. */
export function cosineHistograms(groups: readonly PairGroup[]): Figure {
  const bars = groups.flatMap(({ name, same, other }) =>
    [same, other].flatMap((cosines, kind) => {
      const counts = new Array<number>(COSINE_BINS).fill(0);
      for (const cosine of cosines) {
        const bin = Math.min(COSINE_BINS - 1, Math.floor((cosine + 1) / 2 * COSINE_BINS));
        counts[bin] = (counts[bin] ?? 0) + 1;
      }
      return counts.map((count, bin) => ({
        name,
        kind: KINDS[kind] ?? "",
        from: bin / COSINE_BINS * 2 - 1,
        to: (bin + 1) / COSINE_BINS * 2 - 1,
        share: 100 * count / cosines.length,
      })).filter(({ share }) => share > 0);
    })
  );
  const names = groups.map(({ name }) => name);
  const pairs = groups.reduce((sum, { same, other }) => sum + same.length + other.length, 0);
  return frameFigure({
    title: "Cosines of texts with the same topic and with different topics",
    subtitle: `Share of the pairs of each kind (%) by cosine; ${
      formatCount(pairs / Math.max(1, groups.length))
    } pairs of texts.`,
    alt: groups.map((group) =>
      `${group.name}: the probability that a same-topic pair has a higher cosine than another pair is ${
        separation(group).toFixed(3)
      }`
    ).join("; ") + ".",
    legend: KINDS.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 50 + 90 * groups.length,
      marginLeft: 48,
      marginRight: 24 + Math.max(...names.map(estimateWidth)),
      marginBottom: 40,
      x: {
        label: "Cosine of two embeddings",
        domain: [
          Math.min(
            0,
            ...bars.map((b) =>
              b.from
            ),
          ),
          1,
        ],
      },
      y: { label: "Pairs (%)", grid: true, ticks: 3 },
      fy: { label: null, domain: names },
      color: { type: "categorical", domain: KINDS, range: KINDS.map((_, i) => colorOf(i)) },
      marks: [
        Plot.rectY(bars, {
          x1: "from",
          x2: "to",
          y: "share",
          fy: "name",
          fill: "kind",
          fillOpacity: 0.6,
          mixBlendMode: "multiply",
        }),
        Plot.ruleY([0]),
      ],
    },
  });
}

/** Texts projected onto the plane of their embeddings' first two principal components. */
type TextMap = Plane & {
  /** Name of the embeddings, such as the pooling. */
  readonly name: string;
  /** Class and text of each point. */
  readonly texts: readonly { readonly label: string; readonly text: string }[];
};

/** Maps of texts side by side, each with its own scale; hovering shows the text. */
export async function embeddingMaps(maps: readonly TextMap[]): Promise<HoverFigure> {
  const percent = ([first, second]: TextMap["shares"]) =>
    `${(100 * (first + second)).toFixed(0)} %`;
  const head = ({ name, shares }: TextMap) => `${name} (${percent(shares)})`;
  const values = maps.flatMap((map) =>
    map.points.map(([x, y], i) => ({ map: head(map), x: round(x), y: round(y), ...map.texts[i] }))
  );
  const labels = [...new Set(maps.flatMap(({ texts }) => texts.map(({ label }) => label)))].sort();
  return await hoverFigure({
    width: 200,
    height: 200,
    data: { values },
    mark: { type: "circle", size: 40, opacity: 0.75 },
    encoding: {
      facet: { field: "map", type: "nominal", title: null, sort: maps.map(head), columns: 3 },
      x: { field: "x", type: "quantitative", title: "First axis", axis: { tickCount: 4 } },
      y: { field: "y", type: "quantitative", title: "Second axis", axis: { tickCount: 5 } },
      color: {
        field: "label",
        type: "nominal",
        scale: { domain: labels, range: [...COLORS] },
      },
      tooltip: [{ field: "label", title: "topic" }, { field: "text" }],
    },
    resolve: { scale: { x: "independent", y: "independent" } },
  }, {
    title: "Texts on the two principal axes of their embeddings",
    subtitle: "In parentheses: share of the variance that the plane explains.",
    alt: `${maps[0]?.points.length ?? 0} texts on the two principal axes of their embeddings: ${
      maps.map(({ name, shares }) => `${name} explains ${percent(shares)} of the variance`).join(
        ", ",
      )
    }.`,
  });
}

/** Rounds to three digits, which keeps notebooks small. */
const round = (value: number) => Number(value.toPrecision(3));

/** Embeddings of the same texts by one model. */
type EmbeddedGroup = {
  readonly name: string;
  readonly embeddings: readonly ArrayLike<number>[];
};

/** Number of bins over the norms of all groups. */
const NORM_BINS = 60;

/** Draws the norms of each group on a common axis that starts at 0; the line is the mean. */
export function normHistograms(groups: readonly EmbeddedGroup[]): Figure {
  const measured = groups.map(({ name, embeddings }) => ({
    name,
    norms: embeddings.map(l2Norm),
  }));
  const longest = Math.max(...measured.flatMap(({ norms }) => norms));
  const width = longest / NORM_BINS;
  const bars = measured.flatMap(({ name, norms }) => {
    const bins = Map.groupBy(norms, (norm) => Math.min(NORM_BINS - 1, Math.floor(norm / width)));
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
