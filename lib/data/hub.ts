/**
 * The Hugging Face Hub as a source: parquet files of data set repositories.
 * @module
 */

import { type HubRepo, openHubRepo } from "@/data/hub_files.ts";
import { type HubSettings, readHubSettings } from "@/data/hub_settings.ts";
import { type DataSource, orderShards } from "@/data/source.ts";
import { type ProgressView, SILENT } from "@/progress.ts";

/** Where a data set is on the Hub. */
export type HubDataset = { readonly repo: string; readonly revision: string };

/** The branch to which the Hub converts data sets that come in another form. */
const CONVERTED = "refs/convert/parquet";

/** Repositories of data sets that go by a short name. */
export const HUB_DATASETS: Readonly<Record<string, HubDataset>> = {
  ag_news: { repo: "fancyzhx/ag_news", revision: "main" },
  conll2003: { repo: "eriktks/conll2003", revision: CONVERTED }, // main holds a Python script
  conllpp: { repo: "ZihanWangKi/conllpp", revision: CONVERTED },
};

/** The source that reads from the Hub. */
export function openHubSource(
  options: { readonly settings?: HubSettings; readonly view?: ProgressView } = {},
): DataSource {
  const { settings = readHubSettings(), view = SILENT } = options;
  const opened = new Map<string, HubRepo>();
  const open = ({ repo, revision }: HubDataset): HubRepo => {
    const key = `${repo}@${revision}`;
    const found = opened.get(key) ??
      openHubRepo({ repo, kind: "dataset", revision, settings, view });
    opened.set(key, found);
    return found;
  };
  return {
    name: "hub",
    describe: () =>
      settings.offline
        ? `the Hub's cache in ${settings.cacheDir} (HF_HUB_OFFLINE)`
        : `${settings.endpoint}, cached in ${settings.cacheDir}`,
    async files(dataset, split) {
      const given = HUB_DATASETS[dataset];
      if (given === undefined && !/^[^/]+\/[^/]+$/.test(dataset)) {
        throw new RangeError(
          `Cannot read data set "${dataset}" from the Hub as its name must be owner/name or one of ${
            Object.keys(HUB_DATASETS).join(", ")
          }`,
        );
      }
      const places = given === undefined
        ? [{ repo: dataset, revision: "main" }, { repo: dataset, revision: CONVERTED }]
        : [given];
      for (const place of places) {
        const repo = open(place);
        const listed = await repo.list().catch((error) => {
          if (place.revision === CONVERTED && given === undefined && isMissing(error)) return [];
          throw error;
        });
        const paths = findSplit(listed, split, place.repo);
        if (paths.length === 0) continue;
        const files: string[] = [];
        for (const path of paths) {
          const file = await repo.fetch(path);
          if (file === null) throw new Error(`internal: ${path} was listed and is not there`);
          files.push(file);
        }
        return files;
      }
      return [];
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}

/**
 * The parquet files of a split among a repository's paths, in order: `data/train-00000-of-00002.parquet`,
 * `train.parquet`, or `<configuration>/train/0000.parquet` as the Hub converts them.
 */
export function findSplit(paths: readonly string[], split: string, repo: string): string[] {
  const found = paths.filter((path) => {
    const [name = "", folder = ""] = path.split("/").reverse();
    if (!name.endsWith(".parquet")) return false;
    const named = name.startsWith(split) && /^[-.]/.test(name.slice(split.length));
    return named || (folder === split && /^\d+\.parquet$/.test(name));
  });
  const folders = [...new Set(found.map((path) => path.slice(0, path.lastIndexOf("/") + 1)))];
  if (folders.length > 1) {
    throw new RangeError(
      `Cannot read ${split} of ${repo} as one folder must hold it: ${folders.join(", ")} do`,
    );
  }
  return orderShards(found, `${split} of ${repo}`);
}
