/**
 * Figures of a tagging task: F1 by entity type, errors by category.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { EntityScores } from "@/eval/entities.ts";
import { type EntityErrors, ERROR_KINDS } from "@/eval/entity_errors.ts";
import type { Figure } from "./figure.ts";
import { formatCount, formatPercent } from "../format.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";
import type { ScoreSubject } from "./score_figures.ts";

const RULES = ["conlleval", "strict IOB2"] as const;

/** F1 of each entity type under both rules, and the micro average. */
export function entityBars(scores: EntityScores, { task, split }: ScoreSubject): Figure {
  const types = [
    { name: "all", f1: scores.f1, strictF1: scores.strictF1 },
    ...Object.entries(scores.perType).map(([name, { f1, strictF1 }]) => ({ name, f1, strictF1 })),
  ];
  const bars = types.flatMap(({ name, f1, strictF1 }) => [
    { name, rule: RULES[0], f1: 100 * f1 },
    { name, rule: RULES[1], f1: 100 * strictF1 },
  ]);
  const [low, high] = scores.interval;
  const interval = [{ name: "all", rule: RULES[0], low: 100 * low, high: 100 * high }];
  return frameFigure({
    title: `Entity F1 by type on ${task} ${split}`,
    subtitle: `${formatCount(scores.rows)} sentences; whisker: 95 % bootstrap interval.`,
    alt: types.map(({ name, f1, strictF1 }) =>
      `${name} ${formatPercent(f1)} % (strict ${formatPercent(strictF1)} %)`
    ).join(", ") + ".",
    legend: RULES.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 46 + 54 * types.length,
      marginLeft: Math.min(
        220,
        24 + Math.max(...types.map(({ name }) =>
          estimateWidth(name)
        )),
      ),
      marginTop: 4,
      marginRight: 56,
      marginBottom: 40,
      x: { label: "Entity F1 (%)", domain: [0, 100], grid: true },
      y: { axis: null, domain: RULES, padding: 0.1 },
      fy: {
        label: null,
        domain: types.map(({ name }) => name),
        axis: "left",
        padding: 0.18,
      },
      color: { type: "categorical", domain: RULES, range: [colorOf(0), colorOf(1)] },
      marks: [
        Plot.barX(bars, { x: "f1", y: "rule", fy: "name", fill: "rule" }),
        Plot.ruleY(interval, { x1: "low", x2: "high", y: "rule", fy: "name", strokeWidth: 1.5 }),
        ...["low", "high"].map((x) =>
          Plot.tickX(interval, { x, y: "rule", fy: "name", inset: 5, strokeWidth: 1.5 })
        ),
        Plot.text(bars, {
          frameAnchor: "right",
          y: "rule",
          fy: "name",
          text: ({ f1 }: typeof bars[number]) => f1.toFixed(1),
          textAnchor: "end",
          dx: 46,
        }),
      ],
    },
  });
}

/** Errors of each entity type by category; an invented entity counts under its predicted type. */
export function errorBars(errors: EntityErrors, { task, split }: ScoreSubject): Figure {
  const types = Object.entries(errors.perType).map(([name, counts]) => ({
    name,
    counts,
    total: ERROR_KINDS.reduce((sum, kind) => sum + counts[kind], 0),
  }));
  const bars = types.flatMap(({ name, counts }) =>
    ERROR_KINDS.map((kind) => ({ name, kind, count: counts[kind] }))
  );
  const total = types.reduce((sum, type) => sum + type.total, 0);
  const most = Math.max(1, ...types.map((type) => type.total));
  const names = types.map(({ name }) => name);
  return frameFigure({
    title: `Entity errors on ${task} ${split}`,
    subtitle: `${
      formatCount(total)
    } errors by gold entity type; invented entities by predicted type.`,
    alt: `${ERROR_KINDS.map((kind) => `${kind} ${formatCount(errors[kind])}`).join(", ")}.`,
    legend: ERROR_KINDS.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 50 + 34 * Math.max(1, names.length),
      marginLeft: Math.min(220, 24 + Math.max(0, ...names.map(estimateWidth))),
      marginTop: 4,
      marginRight: 56,
      marginBottom: 40,
      x: {
        label: "Errors",
        grid: true,
        domain: [0, most],
        nice: true,
        ticks: Math.min(8, most),
      },
      y: { label: null, domain: names, padding: 0.25, tickSize: 0 },
      color: {
        type: "categorical",
        domain: ERROR_KINDS,
        range: ERROR_KINDS.map((_, index) => colorOf(index)),
      },
      marks: [
        Plot.barX(
          bars,
          Plot.stackX({ x: "count", y: "name", fill: "kind", order: [...ERROR_KINDS] }),
        ),
        Plot.text(types, {
          x: "total",
          y: "name",
          text: (type: typeof types[number]) => formatCount(type.total),
          textAnchor: "start",
          dx: 6,
        }),
        Plot.ruleX([0]),
      ],
    },
  });
}
