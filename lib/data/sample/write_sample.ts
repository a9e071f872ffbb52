/**
 * Writes the built-in sample: parquet files in the Hub's layout, and a README that says how it is made and which scores
 * baselines have on it.
 * @module
 */

import { join } from "node:path";
import pl from "nodejs-polars";
import { writeFileAtomic } from "@/system/files.ts";
import {
  generateSentences,
  joinTokens,
  MIXED_FRACTION,
  type Sentence,
  TAGS,
} from "@/data/sample/generate.ts";
import type { SampleSplit } from "@/data/sample/names.ts";
import type { TaggedRow, TextRow } from "@/data/rows.ts";
import { accuracyOf, trainNaiveBayes, trainSoftmaxRegression } from "./sample_baselines.ts";
import { entityF1, entityFinder, entitySpans, listEntityNames } from "./sample_baselines.ts";
import { TOPICS } from "@/data/sample/lexicon.ts";

/** The seed of the committed sample. */
const SAMPLE_SEED = 2003;

/** Number of rows of each split. */
const SAMPLE_SIZES = {
  ag_news: { train: 3600, test: 600 },
  conll2003: { train: 3200, validation: 400, test: 600 },
} as const;

/** Generates all rows of the sample. */
export function generateSample(seed = SAMPLE_SEED): SampleRows {
  const make = (name: "ag_news" | "conll2003", split: SampleSplit, rows: number) =>
    generateSentences(rows, { split, seed, name });
  const { ag_news: texts, conll2003: tagged } = SAMPLE_SIZES;
  return {
    ag_news: {
      train: make("ag_news", "train", texts.train).map(toTextRow),
      test: make("ag_news", "test", texts.test).map(toTextRow),
    },
    conll2003: {
      train: make("conll2003", "train", tagged.train).map(toTaggedRow),
      validation: make("conll2003", "validation", tagged.validation).map(toTaggedRow),
      test: make("conll2003", "test", tagged.test).map(toTaggedRow),
    },
  };
}

/** Writes the sample into `folder`; equal seeds give equal bytes. */
export async function writeSample(folder: string, seed = SAMPLE_SEED): Promise<void> {
  const sample = generateSample(seed);
  for (const [split, rows] of Object.entries(sample.ag_news)) {
    const frame = pl.DataFrame({
      text: rows.map(({ text }) => text),
      label: rows.map(({ label }) => label),
    }, { schema: { text: pl.String, label: pl.Int64 } });
    await writeFileAtomic(join(folder, "ag_news", `${split}.parquet`), toParquet(frame));
  }
  for (const [split, rows] of Object.entries(sample.conll2003)) {
    const frame = pl.DataFrame({
      tokens: rows.map(({ tokens }) => [...tokens]),
      ner_tags: rows.map(({ tags }) => [...tags]),
    }, { schema: { tokens: pl.List(pl.String), ner_tags: pl.List(pl.Int64) } });
    await writeFileAtomic(join(folder, "conll2003", `${split}.parquet`), toParquet(frame));
  }
  await writeFileAtomic(join(folder, "README.md"), describeSample(sample, seed));
}

function toTextRow({ tokens, topic }: Sentence): TextRow {
  return { text: joinTokens(tokens), label: topic };
}

function toTaggedRow({ tokens, tags }: Sentence): TaggedRow {
  return { tokens, tags };
}

function toParquet(frame: pl.DataFrame): Uint8Array {
  return frame.writeParquet({ compression: "zstd" });
}

/** All rows of the sample. */
type SampleRows = {
  readonly ag_news: { readonly train: readonly TextRow[]; readonly test: readonly TextRow[] };
  readonly conll2003: {
    readonly train: readonly TaggedRow[];
    readonly validation: readonly TaggedRow[];
    readonly test: readonly TaggedRow[];
  };
};

/** Scores of baselines for which the sample must be too hard, from 0 to 1. */
type SampleBaselines = {
  readonly naiveBayes: number;
  readonly softmaxRegression: number;
  /** Entity F1 of looking up the entities in train. */
  readonly nameList: number;
  /** Number of different entities in test, and of those that occur in train. */
  readonly testNames: number;
  readonly knownTestNames: number;
};

/** Trains the baselines on the sample's training rows and scores them on its test rows. */
export function scoreBaselines({ ag_news, conll2003 }: SampleRows): SampleBaselines {
  const classes = TOPICS.length;
  const known = listEntityNames(conll2003.train, TAGS);
  const inTest = [...listEntityNames(conll2003.test, TAGS).keys()];
  return {
    naiveBayes: accuracyOf(trainNaiveBayes(ag_news.train, classes), ag_news.test),
    softmaxRegression: accuracyOf(trainSoftmaxRegression(ag_news.train, classes), ag_news.test),
    nameList: entityF1(entityFinder(known), conll2003.test, TAGS),
    testNames: inTest.length,
    knownTestNames: inTest.filter((name) => known.has(name)).length,
  };
}

/** The text of the README. */
function describeSample(sample: SampleRows, seed: number): string {
  const scores = scoreBaselines(sample);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const { ag_news, conll2003 } = sample;
  const names = conll2003.test.flatMap(({ tags }) => entitySpans(tags, TAGS));
  const perType = ["PER", "ORG", "LOC", "MISC"].map((type) =>
    `${type} ${names.filter((name) => name.type === type).length}`
  ).join(", ");
  const examples = TOPICS.map((topic, label) => {
    const row = ag_news.train.find((row) => row.label === label);
    return `| ${topic} | ${row?.text.replaceAll("|", "\\|") ?? ""} |`;
  });
  return `# The built-in sample

Generated sentences in the layout of the Hugging Face Hub, so that everything runs without a download. No
sentence is real news, and all names are invented. \`deno task sample\` reproduces these files byte for byte from
seed ${seed}, including this page (\`lib/data/sample/\`).

| data set | columns | train | validation | test |
| --- | --- | --- | --- | --- |
| ag_news | text, label (0 ${TOPICS[0]}, 1 ${TOPICS[1]}, 2 ${TOPICS[2]}, 3 ${
    TOPICS[3]
  }) | ${ag_news.train.length} | carved from train | ${ag_news.test.length} |
| conll2003 | tokens, ner_tags (${
    TAGS.join(" ")
  }) | ${conll2003.train.length} | ${conll2003.validation.length} | ${conll2003.test.length} |

Entities in conll2003/test: ${perType}.

## What makes it hard

- **Topics.** ${
    percent(MIXED_FRACTION)
  } of the sentences contain words of two topics. The topic of such a sentence is that of
  the one who acts ("the X praised the Y", "the Y was praised by the X"), of the head of a phrase ("the X of the Y"),
  or of what remains after a correction ("not the Y but the X"); never of something merely mentioned beside it
  ("outside the Y"). Some words, such as strike, draft, network and stock, belong to several topics.
- **Entities.** Names consist of syllables, and each split has its own names: ${scores.knownTestNames} of the ${scores.testNames} different
  entities in test occur in train. The entity type is visible in the syllables, in a suffix (-ville), in an adjacent word
  (Corp) or only in the surrounding sentence.

## Scores of simple baselines on test

| baseline | input | score |
| --- | --- | --- |
| naive Bayes, topics | a bag of words | ${percent(scores.naiveBayes)} accuracy |
| softmax regression, topics | a bag of words | ${percent(scores.softmaxRegression)} accuracy |
| lookup of the training entities | words | ${percent(scores.nameList)} F1 |

## Examples

| topic | text |
| --- | --- |
${examples.join("\n")}
`;
}
