/**
 * Where rows come from, behind one interface.
 * @module
 */

/** A place that holds data sets, each in splits of one or more parquet files. */
export type DataSource = {
  /** Short name for logs and records: `local`, `hub` or `sample`. */
  readonly name: string;
  /** One line on where the rows come from. */
  describe(): string;
  /** Local paths of a split's parquet files in order; empty when the split does not exist. */
  files(dataset: string, split: string): Promise<readonly string[]>;
  /** Sentences for an error: the splits that there are, and how files of the `wanted` one are named. */
  describeSplits(dataset: string, wanted: string): Promise<string>;
};

/**
 * The files of a split that has to be there, as {@link DataSource.files} gives them.
 *
 * @param options.asked says in errors who asks for it, such as `split.test of task "topics"`.
 * @param options.advice a further sentence for the error.
 * @throws {Deno.errors.NotFound} with the splits that there are
 */
export async function findRequiredFiles(
  source: DataSource,
  { dataset, split, asked, advice }: {
    readonly dataset: string;
    readonly split: string;
    readonly asked?: string;
    readonly advice?: string;
  },
): Promise<readonly string[]> {
  const files = await source.files(dataset, split);
  if (files.length > 0) return files;
  const sentences = [
    `Cannot read split ${split} of "${dataset}"${
      asked === undefined ? "" : ` (${asked})`
    }: it is not in ${source.describe()}`,
    await source.describeSplits(dataset, split),
    ...(advice === undefined ? [] : [advice]),
  ];
  throw new Deno.errors.NotFound(sentences.join(". "));
}
