/**
 * Scores a task on rows: encodes, predicts and scores them. Long tagged rows are split into overlapping
 * windows, so that every word gets a tag. Classified texts are truncated at the model's limit, as in
 * training.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import { isTaggedRow, type Row, type TaggedRow, type TextRow } from "@/data/rows.ts";
import { type ClassificationScores, scoreClassification } from "@/eval/classification.ts";
import { type EntityScores, scoreEntities } from "@/eval/entities.ts";
import type { OnPredicted, Predictor } from "@/eval/predict_examples.ts";
import { argmaxAt } from "@/eval/text_predictor.ts";
import { fitTemperature } from "@/eval/calibration.ts";
import type { ModelTask } from "@/model/multi_task.ts";
import { encodeRowsCached } from "@/text/cache.ts";
import { readTags } from "@/text/encode_rows.ts";
import type { Example } from "@/text/example.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** Scores of one task on one split. */
export type TaskScores = ClassificationScores | EntityScores;

/** Rows encoded for prediction; encoded once for all evaluations of a run. */
export type EvaluationSet = {
  readonly rows: readonly Row[];
  readonly examples: readonly Example[];
};

/** Encodes rows for evaluation, or reads them from the cache of encoded rows. */
export async function prepareEvaluation(
  rows: readonly Row[],
  { kind }: Pick<ModelTask, "kind">,
  { onRows, ...options }: {
    readonly tokenizer: Tokenizer;
    readonly maxLength: number;
    readonly prompt: string;
    /** Called with the number of rows encoded so far. */
    readonly onRows?: (done: number) => void;
  },
): Promise<EvaluationSet> {
  const { examples } = await encodeRowsCached(rows, { ...options, kind, windows: "overlap" }, {
    ...(onRows && { onRows }),
  });
  return { rows, examples };
}

/** Predictions for every row of a set. */
export type RowPredictions =
  | {
    readonly kind: "classification";
    /** [N] class indices. */
    readonly classes: readonly number[];
    /** [N] arrays of [C] probabilities. */
    readonly probabilities: readonly Float32Array[];
  }
  | {
    readonly kind: "tagging";
    /** [N] lists of tag indices, one per word. */
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
      // one example per text, in the order of the rows
      const classes = probabilities.map((each) => argmaxAt(each, 0, count));
      return { kind, classes, probabilities };
    }
    case "tagging": {
      const predicted = examples.map(({ ids }, i) =>
        Array.from(ids, (_, token) => argmaxAt(probabilities[i] ?? [], token * count, count))
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

/** Options of {@link scoreRows}. */
type ScoreOptions = {
  readonly labels: readonly string[];
  /** Indices of the rows to score; all by default. */
  readonly chosen?: readonly number[];
  /** Temperature fitted on validation. If given, calibration is also measured at it (classification only). */
  readonly temperature?: number | undefined;
};

/** Temperature that best calibrates these rows; undefined for tagging tasks and empty splits. */
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
