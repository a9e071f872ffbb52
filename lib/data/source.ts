/**
 * The interface of data sources.
 * @module
 */

/** A source of data sets, each with splits of one or more data files. */
export type DataSource = {
  /** Short name for logs and records: `local`, `hub` or `sample`. */
  readonly name: string;
  /** One line that describes the origin of the rows. */
  describe(): string;
  /** Local paths of the data files of a split, in order; empty if the split does not exist. */
  files(dataset: string, split: string): Promise<readonly string[]>;
  /** Sentences for an error: the existing splits, and how to name files of the `wanted` one. */
  describeSplits(dataset: string, wanted: string): Promise<string>;
};

/**
 * The files of a required split; see {@link DataSource.files}.
 *
 * @param options.asked The setting that requires the split, for errors, such as `split.test of task "topics"`.
 * @param options.advice Another sentence for the error.
 * @throws {Deno.errors.NotFound} With a list of the existing splits.
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
