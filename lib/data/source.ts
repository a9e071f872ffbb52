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
};

/** What a shard's name says of its place: `train-00002-of-00005.parquet` is 2 of 5. */
const SHARD = /-(\d+)-of-(\d+)\.parquet$/;

/**
 * Sorts the parquet files of a split by name and checks that no shard is missing.
 *
 * @param where names the place in the error.
 */
export function orderShards(paths: readonly string[], where: string): string[] {
  const sorted = [...paths].sort();
  const shards = sorted.flatMap((path) => SHARD.exec(path) ?? []).length / 3;
  const total = Number(SHARD.exec(sorted[0] ?? "")?.[2] ?? 0);
  if (shards > 0 && (shards !== sorted.length || shards !== total)) {
    const names = sorted.map((path) => path.slice(path.lastIndexOf("/") + 1));
    throw new RangeError(
      `Cannot read ${where} as all ${total} shards must be there: found ${names.join(", ")}`,
    );
  }
  return sorted;
}
