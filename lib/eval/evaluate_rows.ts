/**
 * A task's scores on rows: encode, predict, score. No tagged word is dropped: long rows are read through
 * overlapping windows. A classified text is cut at the model's limit, as in training.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import { isTaggedRow, type Row, type TaggedRow, type TextRow } from "@/data/rows.ts";
import { type ClassificationScores, scoreClassification } from "@/eval/classification.ts";
import { type EntityScores, scoreEntities } from "@/eval/entities.ts";
import type { OnPredicted, Predictor } from "@/eval/predict_examples.ts";
import { argmaxAt } from "@/eval/probabilities.ts";
import { fitTemperature } from "@/eval/temperature.ts";
import type { ModelTask } from "@/model/parameters.ts";
import { encodeRowsCached } from "@/text/cache.ts";
import { readTags } from "@/text/encode_rows.ts";
import type { Example } from "@/text/example.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** Scores of one task on one split. */
export type TaskScores = ClassificationScores | EntityScores;

/** Rows made ready for prediction, once for all evaluations of a run. */
export type EvaluationSet = {
  readonly rows: readonly Row[];
  readonly examples: readonly Example[];
};

/** Encodes rows for evaluation, from the cache of encoded rows where they are in it. */
export async function prepareEvaluation(
  rows: readonly Row[],
  { kind }: Pick<ModelTask, "kind">,
  { onRows, ...options }: {
    readonly tokenizer: Tokenizer;
    readonly maxLength: number;
    readonly prompt: string;
    /** Told how many rows are encoded. */
    readonly onRows?: (done: number) => void;
  },
): Promise<EvaluationSet> {
  const { examples } = await encodeRowsCached(rows, { ...options, kind, windows: "overlap" }, {
    ...(onRows && { onRows }),
  });
  return { rows, examples };
}

/** What was predicted for each row of a set. */
export type RowPredictions =
  | {
    readonly kind: "classification";
    /** [N] class numbers. */
    readonly classes: readonly number[];
    /** [N] rows of [C] probabilities. */
    readonly probabilities: readonly Float32Array[];
  }
  | {
    readonly kind: "tagging";
    /** [N] tag numbers, one a word. */
    readonly tags: readonly (readonly number[])[];
  };

/** Predicts every row of a set. */
export async function predictRows(
  predictor: Predictor,
  { kind }: Pick<ModelTask, "kind">,
  { rows, examples }: EvaluationSet,
  onPredicted?: OnPredicted,
): Promise<RowPredictions> {
  const probabilities = await predictor.predict(examples, onPredicted);
  const count = predictor.labels.length;
  switch (kind) {
    case "classification": {
      // a text is one example, in the order of the rows
      const classes = probabilities.map((each) => argmaxAt(each, 0, count));
      return { kind, classes, probabilities };
    }
    case "tagging": {
      const predicted = examples.map(({ ids }, i) =>
        Array.from(ids, (_, piece) => argmaxAt(probabilities[i] ?? [], piece * count, count))
      );
      const outside = Math.max(0, predictor.labels.indexOf("O"));
      return {
        kind,
        tags: readTags(examples, predicted, rows.filter(isTaggedRow), { unread: outside }),
      };
    }
    default:
      return assertNever(kind, "task kind");
  }
}

/** How predictions are scored. */
export type ScoreOptions = {
  readonly labels: readonly string[];
  /** Indices of the rows to score; by default all. */
  readonly chosen?: readonly number[];
  /** Of a classification, fitted on validation: its calibration is measured as well. */
  readonly temperature?: number | undefined;
};

/** The temperature that mends the calibration of these rows; undefined where there are no classes. */
export function fitRowTemperature(
  rows: readonly Row[],
  predictions: RowPredictions,
): number | undefined {
  if (predictions.kind !== "classification" || rows.length === 0) return undefined;
  return fitTemperature({
    gold: rows.map((row) => (row as TextRow).label),
    probabilities: predictions.probabilities.flatMap((each) => [...each]),
    classes: predictions.probabilities[0]?.length ?? 0,
  });
}

/** Scores predictions of rows. */
export function scoreRows(
  rows: readonly Row[],
  predictions: RowPredictions,
  options: ScoreOptions,
): TaskScores {
  const { labels, chosen = rows.map((_, index) => index), temperature } = options;
  switch (predictions.kind) {
    case "classification": {
      const { classes, probabilities } = predictions;
      const flat = new Float32Array(chosen.length * labels.length); // [N, C]
      chosen.forEach((row, i) => flat.set(probabilities[row] ?? [], i * labels.length));
      return scoreClassification({
        gold: chosen.map((row) => (rows[row] as TextRow).label),
        predicted: chosen.map((row) => classes[row] ?? NaN),
        labels,
        probabilities: flat,
        ...(temperature !== undefined && { temperature }),
      });
    }
    case "tagging": {
      const name = (tag: number) => labels[tag] ?? "O";
      return scoreEntities({
        gold: chosen.map((row) => (rows[row] as TaggedRow).tags.map(name)),
        predicted: chosen.map((row) => (predictions.tags[row] ?? []).map(name)),
      });
    }
    default:
      return assertNever(predictions, "task kind");
  }
}
