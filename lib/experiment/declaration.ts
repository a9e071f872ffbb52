/**
 * Declaration of an experiment: a base configuration, variants and seeds. It is read from `experiment.json`,
 * checked, and resolved into the configurations of its runs.
 * @module
 */
import * as z from "zod";
import type { RunConfig } from "@/config/config.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { integer, text, unknownKey, validate, wrongChoice } from "@/schema.ts";

/** Configuration values by dotted key, such as `training.maxSteps`. */
export type Changes = Readonly<Record<string, unknown>>;

/** A variant of the base configuration. */
export type Variant = {
  readonly name: string;
  /** Overrides of the base. */
  readonly set: Changes;
  /** Names of the tasks to train; all by default. */
  readonly tasks?: readonly string[];
};

/** Splits that runs can be scored on. Decisions are made on validation; the test set is scored once. */
const SCORE_SPLITS = ["validation", "test"] as const;
/** One of {@link SCORE_SPLITS}. */
export type ScoreSplit = typeof SCORE_SPLITS[number];

/** A declared experiment: the content of `experiment.json`. */
export type Experiment = {
  /** Identifier used for folders: lowercase letters, digits, hyphens. */
  readonly name: string;
  readonly title: string;
  /** The question that the experiment answers. */
  readonly question: string;
  /** Name of the preset that `base` overrides. */
  readonly preset: string;
  /** Overrides of the preset, common to all variants. */
  readonly base: Changes;
  readonly variants: readonly Variant[];
  /** Name of the baseline: the variant that the others are compared with. */
  readonly reference: string;
  readonly seeds: readonly number[];
  readonly score: ScoreSplit;
};

/** One run of an experiment. */
export type PlannedRun = {
  readonly variant: string;
  readonly seed: number;
  readonly config: RunConfig;
};

const differ = (values: readonly unknown[]) => new Set(values).size === values.length;

const CHANGES = z.looseObject({});

const SCHEMA: z.ZodType<Experiment> = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/).meta({ title: "lowercase letters, digits and hyphens" }),
  title: text,
  question: text,
  preset: text,
  base: CHANGES,
  variants: z.array(z.strictObject({
    name: text,
    set: CHANGES.default({}),
    tasks: z.array(text).min(1).exactOptional(),
  })).min(1).refine(
    (variants) => differ(variants.map(({ name }) => name)),
    "a list with different names",
  ),
  reference: text,
  seeds: z.array(integer(0)).min(1).refine(differ, "all different"),
  score: z.enum(SCORE_SPLITS),
});

/** Beginning of errors about the declaration itself; its configurations have errors of their own. */
const where = "experiment: ";

/** Checks a parsed declaration, including the configurations of all its runs. */
export function readExperiment(value: unknown): Experiment {
  const experiment = validate(SCHEMA, value, { where });
  const { variants, reference } = experiment;
  const names = variants.map((variant) => variant.name);
  if (!names.includes(reference)) throw wrongChoice(`${where}reference`, names, reference);
  planRuns(experiment);
  return experiment;
}

/** Settings of this machine and of the command line for an experiment. */
type PlanOptions = {
  /** Overrides of the form `key=value`, as for `--set`; they take precedence over the declaration. */
  readonly set?: readonly string[] | undefined;
  /** `model.source` and `data.dir` on this machine. */
  readonly model?: string | undefined;
  readonly data?: string | undefined;
};

/** All runs, ordered by seed first, so that early results cover all variants. */
export function planRuns(
  { preset, base, variants, seeds, score }: Experiment,
  { set = [], model, data }: PlanOptions = {},
): readonly PlannedRun[] {
  return seeds.flatMap((seed) =>
    variants.map((variant) => {
      const assignments = Object.entries({ ...base, ...variant.set, seed })
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      const resolved = resolveConfig({
        preset,
        // variants are compared with each other, not with baselines
        set: ["data.baselines=false", ...assignments, `data.scoreTest=${score === "test"}`, ...set],
        shortcuts: { model, data },
      });
      return { variant: variant.name, seed, config: selectTasks(resolved, variant) };
    })
  );
}

/** The configuration reduced to a variant's tasks. */
export function selectTasks(config: RunConfig, { name, tasks: selected }: Variant): RunConfig {
  if (selected === undefined) return config;
  const known = config.tasks.map((task) => task.name);
  const unknown = selected.find((task) => !known.includes(task));
  if (unknown !== undefined) throw unknownKey(`${name}.tasks.${unknown}`, { where, known });
  return resolveConfig({
    file: { ...config, tasks: config.tasks.filter((task) => selected.includes(task.name)) },
  });
}
