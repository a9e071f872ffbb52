/**
 * Generates the README of the built-in sample: how it is made and the scores of baselines on it, computed here.
 * @module
 */

import type { TaggedRow, TextRow } from "@/data/rows.ts";
import { accuracyOf, trainNaiveBayes, trainSoftmaxRegression } from "@/data/sample/bag_of_words.ts";
import { MIXED_FRACTION, TAGS } from "@/data/sample/generate.ts";
import { TOPICS } from "@/data/sample/lexicon.ts";
import { entityF1, entityFinder, entitySpans, listEntityNames } from "./entity_lookup.ts";

/** All rows of the sample. */
export type SampleRows = {
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
export function describeSample(sample: SampleRows, seed: number): string {
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

Names in conll2003/test: ${perType}.

## What makes it hard

- **Topics.** ${
    percent(MIXED_FRACTION)
  } of the sentences contain words of two topics. The topic of such a sentence is that of
  the one who acts ("the X praised the Y", "the Y was praised by the X"), of the head of a phrase ("the X of the Y"),
  or of what remains after a correction ("not the Y but the X"); never of something merely mentioned beside it
  ("outside the Y"). Some words, such as strike, draft, network and stock, belong to several topics.
- **Entities.** Names consist of syllables, and each split has its own names: ${scores.knownTestNames} of the ${scores.testNames} different
  names in test occur in train. The entity type is visible in the syllables, in a suffix (-ville), in an adjacent word
  (Corp) or only in the surrounding sentence.

## Scores of simple baselines on test

| baseline | input | score |
| --- | --- | --- |
| naive Bayes, topics | a bag of words | ${percent(scores.naiveBayes)} accuracy |
| softmax regression, topics | a bag of words | ${percent(scores.softmaxRegression)} accuracy |
| lookup of the training names, entities | words | ${percent(scores.nameList)} F1 |

## Examples

| topic | text |
| --- | --- |
${examples.join("\n")}
`;
}
