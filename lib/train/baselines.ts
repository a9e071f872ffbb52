/**
 * Baselines of a run's tasks on validation, and the verdict: whether training was worth it.
 *
 * They are computed before the first step: the most frequent class or the most frequent tag of each word, logistic
 * regression on TF-IDF vectors, and a linear probe of the untrained encoder (logistic regression on its sentence embeddings
 * or token vectors).
 * @module
 */

import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { isTaggedRow, type Row, type TaggedRow, type TextRow } from "@/data/rows.ts";
import { jit } from "@/engine/jit.ts";
import { comparePredictions } from "@/eval/compare_runs.ts";
import type { Interval } from "@/statistics.ts";
import {
  fitLogisticRegression,
  predictClasses,
  type SparseRows,
} from "@/eval/logistic_regression.ts";
import {
  type PredictionRecord,
  readPredictions,
  writePredictions,
} from "@/eval/prediction_record.ts";
import {
  predictByTfidf,
  predictFrequentTags,
  predictMajority,
  repairTags,
} from "@/eval/text_baselines.ts";
import {
  dynamicBatchDimensions,
  type InputTensors,
  inputTensors,
  runEncoder,
} from "@/model/bert.ts";
import { embed } from "@/model/multi_task.ts";
import type { MultiTask } from "@/model/parameters.ts";
import type { ProgressView } from "@/progress.ts";
import { shuffle, stream } from "@/random.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { collate } from "@/text/batches.ts";
import { type Example, IGNORED } from "@/text/example.ts";
import { planBatches } from "@/text/plan_batches.ts";
import type { RunTask } from "@/train/run_data.ts";

/** Baselines by name, as reports call them. */
export const BASELINES = {
  majority: "most frequent class",
  tfidf: "logistic regression on TF-IDF",
  "frequent-tag": "most frequent tag of each word",
  probe: "linear probe of the untrained encoder",
} as const;
/** One of {@link BASELINES}. */
export type BaselineName = keyof typeof BASELINES;

/** Name of the file with the verdicts, and of the folder with the baselines' predictions. */
export const BASELINES_FILE = "baselines.json";
const FOLDER = "baselines";

/** Maximum number of training rows of a linear probe, and of tagged words. */
const PROBE_ROWS = 2000;
const PROBE_WORDS = 10_000;
/** Inverse strength of the penalty of a probe, whose features have unit variance. */
const PROBE_C = 0.1;

/** The verdict on a task. */
export type TaskVerdict = {
  readonly task: string;
  /** The score by which model and baselines are compared. */
  readonly measure: "accuracy" | "f1";
  /** Number of validation rows. */
  readonly rows: number;
  /** Score of the trained model on validation, 0 to 1. */
  readonly score: number;
  /** Scores of the baselines on the same rows. */
  readonly baselines: readonly { readonly name: BaselineName; readonly score: number }[];
  /** The best of the baselines. */
  readonly best: BaselineName;
  /** Score of the model minus score of the best baseline, with its 95 % interval by the paired bootstrap. */
  readonly difference: number;
  readonly interval: Interval;
  readonly verdict: "better" | "no better" | "worse";
};

/** Options of {@link writeBaselines}. */
export type BaselineOptions = {
  readonly model: MultiTask;
  readonly lengths: readonly number[];
  readonly padId: number;
  readonly clsId: number;
  readonly seed: number;
  readonly view: ProgressView;
  /** Called between baselines and batches; if it throws, the work ends with that error. */
  readonly onBatch: () => void;
};

/** Computes the baselines of all tasks on validation and writes their predictions into the run folder. */
export async function writeBaselines(
  run: string,
  tasks: readonly RunTask[],
  options: BaselineOptions,
): Promise<void> {
  for (const each of tasks) {
    const { task, rows, evaluation } = each;
    const validation = evaluation.get("validation");
    if (validation === undefined || validation.rows.length === 0) continue;
    const subject = { task: task.name, split: "validation", labels: task.labels };
    const write = async (
      name: BaselineName,
      predicted: readonly number[] | readonly number[][],
    ) => {
      options.onBatch();
      await writePredictions(
        join(run, FOLDER, name),
        recordOf(subject, validation.rows, predicted),
      );
    };
    const show = (label: string) =>
      options.view.update({ done: 0, total: 1, label: `baselines ${task.name}: ${label}` });
    if (task.kind === "classification") {
      const train = rows.filter(isTextRow), own = validation.rows.filter(isTextRow);
      await write("majority", predictMajority(train, own));
      show("TF-IDF");
      await write("tfidf", predictByTfidf(train, own, task.labels.length));
    } else {
      const train = rows.filter(isTaggedRow), own = validation.rows.filter(isTaggedRow);
      await write("frequent-tag", predictFrequentTags(train, own, task.labels));
    }
    show("linear probe");
    await write("probe", await predictByProbe(each, options));
  }
}

/** Compares a run's predictions on validation with its baselines and writes the verdicts. Empty without baselines. */
export async function writeVerdicts(run: string): Promise<readonly TaskVerdict[]> {
  const own = (await readPredictions(run)).filter(({ split }) => split === "validation");
  const found = new Map<BaselineName, readonly PredictionRecord[]>();
  for (const name of Object.keys(BASELINES) as BaselineName[]) {
    found.set(name, await readPredictions(join(run, FOLDER, name)));
  }
  const verdicts = own.flatMap((record) => {
    const compared = [...found].flatMap(([name, records]) => {
      const baseline = records.find(({ task }) => task === record.task);
      const measure = record.kind === "classification" ? "accuracy" : "f1";
      const comparison = baseline === undefined
        ? undefined
        : comparePredictions(baseline, record).find((each) => each.measure === measure);
      return comparison === undefined ? [] : [{ name, measure, comparison } as const];
    });
    const [first, ...others] = compared;
    if (first === undefined) return [];
    const { name, measure, comparison: { rows, second, difference, interval } } = others.reduce(
      (best, each) => each.comparison.first > best.comparison.first ? each : best,
      first,
    );
    return [
      {
        task: record.task,
        measure,
        rows,
        score: second,
        baselines: compared.map(({ name, comparison }) => ({ name, score: comparison.first })),
        best: name,
        difference,
        interval,
        verdict: interval[0] > 0 ? "better" : interval[1] < 0 ? "worse" : "no better",
      } as const,
    ];
  });
  if (verdicts.length > 0) {
    await writeFileAtomic(join(run, BASELINES_FILE), `${JSON.stringify(verdicts, null, 2)}\n`);
  }
  return verdicts;
}

const isTextRow = (row: Row): row is TextRow => !isTaggedRow(row);

function recordOf(
  subject: Pick<PredictionRecord, "task" | "split" | "labels">,
  rows: readonly Row[],
  predicted: readonly number[] | readonly number[][],
): PredictionRecord {
  const first = predicted[0];
  return Array.isArray(first)
    ? {
      ...subject,
      kind: "tagging",
      gold: rows.map((row) => (row as TaggedRow).tags),
      predicted: predicted as readonly number[][],
    }
    : {
      ...subject,
      kind: "classification",
      gold: rows.map((row) => (row as TextRow).label),
      predicted: predicted as readonly number[],
      probability: rows.map(() => 1),
    };
}

/** Vectors of rows, or of words, and their labels. */
type Features = { readonly vectors: readonly Float32Array[]; readonly labels: readonly number[] };

/** Predictions by logistic regression on the vectors of the encoder as it is now. */
async function predictByProbe(
  { task, train, evaluation }: RunTask,
  options: BaselineOptions,
): Promise<readonly number[] | readonly number[][]> {
  const validation = evaluation.get("validation");
  if (validation === undefined) return [];
  const isTagging = task.kind === "tagging";
  const chosen = shuffle(train, stream(options.seed, "probe", task.name)).slice(0, PROBE_ROWS);
  const fitted = limitWords(await readFeatures(chosen, isTagging, options));
  const scale = findScale(fitted.vectors);
  const classes = task.labels.length;
  const model = fitLogisticRegression(toRows(fitted.vectors, scale), fitted.labels, classes, {
    c: PROBE_C,
  });
  const own = await readFeatures(validation.examples, isTagging, options);
  const predicted = predictClasses(model, toRows(own.vectors, scale));
  if (!isTagging) return predicted;
  const outside = Math.max(0, task.labels.indexOf("O"));
  const tags = validation.rows.map((row) => isTaggedRow(row) ? row.tokens.map(() => outside) : []);
  let at = 0;
  for (const { row, words } of validation.examples) {
    for (const word of words ?? []) {
      if (word === IGNORED) continue;
      const own = tags[row];
      if (own !== undefined) own[word] = predicted[at] ?? outside;
      at++;
    }
  }
  return tags.map((own) => repairTags(own, task.labels));
}

function limitWords({ vectors, labels }: Features): Features {
  return { vectors: vectors.slice(0, PROBE_WORDS), labels: labels.slice(0, PROBE_WORDS) };
}

/** Sentence embeddings of classification examples, or vectors of each word's first token, in the order of the examples. */
async function readFeatures(
  examples: readonly Example[],
  isTagging: boolean,
  { model, lengths, padId, clsId, onBatch }: BaselineOptions,
): Promise<Features> {
  const program = jit(
    isTagging ? "probe.tokens" : "probe.sentences",
    (inputs: InputTensors) => ({
      vectors: isTagging ? runEncoder(model.encoder, inputs) : embed(model, inputs),
    }),
    { dynamic: dynamicBatchDimensions(model) },
  );
  const found: { readonly vectors: readonly Float32Array[]; readonly labels: readonly number[] }[] =
    [];
  const plans = planBatches(examples.map(({ ids }) => ids.length), {
    rows: 64,
    lengths,
    prng: null,
  });
  for (const plan of plans) {
    onBatch();
    const batch = collate(examples, plan, { padId, clsId });
    const inputs = inputTensors(batch);
    const outputs = await program(inputs);
    const values = await outputs.vectors.data() as Float32Array;
    const width = outputs.vectors.shape[1] ?? 0;
    tf.dispose([inputs, outputs]);
    plan.examples.forEach((index, row) => {
      const example = examples[index];
      if (example === undefined) return;
      const { words, labels } = example;
      const places = words === undefined
        ? [{ at: row, label: labels[0] ?? 0 }]
        : [...words.keys()].filter((token) => words[token] !== IGNORED)
          .map((token) => ({ at: row * batch.length + token, label: labels[token] ?? 0 }));
      found[index] = {
        vectors: places.map(({ at }) => values.slice(at * width, (at + 1) * width)),
        labels: places.map(({ label }) => label),
      };
    });
  }
  return {
    vectors: found.flatMap(({ vectors }) => vectors),
    labels: found.flatMap(({ labels }) => labels),
  };
}

type Scale = { readonly mean: Float64Array; readonly factor: Float64Array };

/** Mean and inverse standard deviation of each feature. */
function findScale(vectors: readonly Float32Array[]): Scale {
  const width = vectors[0]?.length ?? 0, count = Math.max(1, vectors.length);
  const mean = new Float64Array(width), squares = new Float64Array(width);
  for (const vector of vectors) {
    vector.forEach((value, i) => {
      mean[i] = (mean[i] ?? 0) + value / count;
      squares[i] = (squares[i] ?? 0) + value * value / count;
    });
  }
  const factor = squares.map((square, i) => {
    const variance = square - (mean[i] ?? 0) ** 2;
    return variance > 1e-12 ? 1 / Math.sqrt(variance) : 0;
  });
  return { mean, factor };
}

function toRows(vectors: readonly Float32Array[], { mean, factor }: Scale): SparseRows {
  const features = mean.length;
  const values = new Float32Array(vectors.length * features);
  vectors.forEach((vector, row) =>
    vector.forEach((value, i) =>
      values[row * features + i] = (value - (mean[i] ?? 0)) * (factor[i] ?? 0)
    )
  );
  return {
    features,
    starts: Uint32Array.from({ length: vectors.length + 1 }, (_, row) => row * features),
    indices: Uint32Array.from({ length: values.length }, (_, at) => at % features),
    values,
  };
}
