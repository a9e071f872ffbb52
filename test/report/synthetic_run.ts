/**
 * A synthetic run folder for tests, with numbers from formulas instead of training.
 * @module
 */

import { join } from "node:path";
import { scoreClassification } from "@/eval/classification.ts";
import { scoreEntities } from "@/eval/entities.ts";

const TOPICS = ["World", "Sports", "Business", "Sci/Tech"];
const TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG"];

/** Forty rows, every seventh wrong, probabilities between 0.55 and 0.94. */
function topicScores() {
  const gold = Array.from({ length: 40 }, (_, row) => row % 4);
  const predicted = gold.map((label, row) => row % 7 === 3 ? (label + 1) % 4 : label);
  const probabilities = predicted.flatMap((label, row) => {
    const top = 0.55 + 0.01 * row;
    return TOPICS.map((_, c) => c === label ? top : (1 - top) / 3);
  });
  return scoreClassification({ gold, predicted, labels: TOPICS, probabilities, temperature: 0.8 });
}

/** Four sentences: one correct, one that begins with I-, one with a wrong type, one with an additional entity. */
function tagScores() {
  return scoreEntities({
    gold: [["B-PER", "I-PER", "O"], ["B-ORG", "O"], ["O", "B-PER"], ["B-ORG", "O", "O"]],
    predicted: [["B-PER", "I-PER", "O"], ["I-ORG", "O"], ["O", "B-ORG"], ["B-ORG", "O", "B-PER"]],
  });
}

/** Files of the run by name; `lines` is the number of training lines. */
export function syntheticFiles({ lines = 40 } = {}): Record<string, string> {
  const topics = topicScores(), tags = tagScores();
  const steps = 10 * lines;
  const metrics: object[] = Array.from({ length: lines }, (_, i) => ({
    kind: "train",
    step: 10 * (i + 1),
    epoch: (i + 1) / lines,
    losses: {
      ag_news: 1.4 * Math.exp(-i / 8) + 0.2 + 0.05 * Math.sin(2.3 * i),
      conll2003: 2 * Math.exp(-i / 5) + 0.1 + 0.04 * Math.cos(1.7 * i),
    },
    gradientNorm: 1 + 2 * Math.exp(-i / 6) + 0.3 * Math.sin(5 * i),
    rate: i < 4 ? (i + 1) / 4 : 1 - (i - 3) / (lines - 3),
    tokens: 23_400 * (i + 1),
    seconds: 1.25 * (i + 1),
  }));
  metrics.push({
    kind: "evaluate",
    step: steps,
    split: "validation",
    scores: { ag_news: topics, conll2003: tags },
    seconds: 51,
  });
  const groups = ["embeddings", "layer 0", "layer 1", "pooler", "heads"].map((name, i) => ({
    name,
    learningRate: i === 4 ? 5e-4 : 1e-4 * 0.9 ** Math.max(0, 2 - i),
    weightDecay: 0.01,
    parameters: [91_392, 66_048, 66_048, 16_512, 35_853][i],
    undecayed: [256, 512, 512, 128, 525][i],
  }));
  const config = {
    preset: "quickstart",
    model: { source: null },
    tasks: [
      {
        name: "ag_news",
        kind: "classification",
        dataset: "ag_news",
        labels: TOPICS,
        metric: "accuracy",
      },
      { name: "conll2003", kind: "tagging", dataset: "conll2003", labels: TAGS, metric: "f1" },
    ],
    training: { epochs: 1, maxSteps: null, clipNorm: 1 },
    data: { dir: "sample", validationRows: 40, maxRows: null },
    seed: 13,
    precision: "float32",
  };
  const summary = {
    name: "synthetic",
    preset: "quickstart",
    steps,
    tokens: 23_400 * lines,
    parameters: 275_853,
    seconds: { train: 50, evaluate: 1.5 },
    scores: {
      ag_news: { validation: topics, test: topics },
      conll2003: { validation: tags, test: tags, "test-unseen": tags, conllpp: tags },
    },
    groups,
    data: {
      ag_news: { train: 320, validation: 40, test: 40, overlap: 0, cutWords: 7 },
      conll2003: { train: 32, validation: 4, test: 4, overlap: 1, cutWords: 0 },
    },
    notes: ["an epoch covers ag_news once; conll2003 goes round 10 times"],
  };
  return {
    "config.json": JSON.stringify(config, null, 2) + "\n",
    "environment.json": JSON.stringify(
      { device: "cpu", executor: "onnx", threads: 2, cpu: "test", versions: { deno: "2.9.6" } },
      null,
      2,
    ) + "\n",
    "metrics.jsonl": metrics.map((line) => JSON.stringify(line)).join("\n") + "\n",
    "summary.json": JSON.stringify(summary, null, 2) + "\n",
  };
}

/** Writes the run into `dir` with some files replaced; null omits a file. */
export async function writeSyntheticRun(
  dir: string,
  replaced: Readonly<Record<string, string | null>> = {},
): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  for (const [name, content] of Object.entries({ ...syntheticFiles(), ...replaced })) {
    if (content !== null) await Deno.writeTextFile(join(dir, name), content);
  }
}
