/**
 * The Hugging Face Hub as a data source: parquet files of data set repositories.
 * @module
 */

import { type HubRepo, openHubRepo } from "@/data/hub_files.ts";
import { type HubSettings, readHubSettings } from "@/data/hub_settings.ts";
import type { DataSource } from "@/data/source.ts";
import {
  checkShards,
  type DatasetFiles,
  describeSplits,
  findSplitFiles,
} from "@/data/split_files.ts";
import { readText } from "@/system/files.ts";
import { type ProgressView, SILENT } from "@/progress.ts";

/** Location of a data set on the Hub. */
type HubDataset = { readonly repo: string; readonly revision: string };

/** The branch with the parquet files that the Hub converts from other formats. */
const CONVERTED = "refs/convert/parquet";

/** Repositories of data sets by short name. */
export const HUB_DATASETS: Readonly<Record<string, HubDataset>> = {
  ag_news: { repo: "fancyzhx/ag_news", revision: "main" },
  conll2003: { repo: "eriktks/conll2003", revision: CONVERTED }, // the main branch contains a Python script instead of data
  conllpp: { repo: "ZihanWangKi/conllpp", revision: CONVERTED },
};

/** Opens the Hub as a data source. */
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
  const listFiles = async (place: HubDataset): Promise<DatasetFiles> => {
    const repo = open(place);
    const paths = await repo.list();
    const readIfThere = async (path: string, what: string) => {
      const file = paths.includes(path) ? await repo.fetch(path) : null;
      return file === null ? null : await readText(file, what);
    };
    return {
      where: `data set ${place.repo}`,
      paths,
      card: await readIfThere("README.md", "data set card"),
      settings: await readIfThere(".huggingface.yaml", "data set settings"),
    };
  };
  return {
    name: "hub",
    describe: () =>
      settings.offline
        ? `the Hub's cache in ${settings.cacheDir} (HF_HUB_OFFLINE)`
        : `${settings.endpoint}, cached in ${settings.cacheDir}`,
    async files(dataset, split) {
      const places = findPlaces(dataset);
      for (const place of places) {
        const listed = await listFiles(place).catch((error) => {
          if (place !== places[0] && error instanceof Deno.errors.NotFound) return null;
          throw error;
        });
        const paths = listed === null
          ? []
          : place.revision === CONVERTED
          ? findConverted(listed, split)
          : findSplitFiles(listed, split);
        if (paths.length === 0) continue;
        const files: string[] = [];
        for (const path of paths) {
          const file = await open(place).fetch(path);
          if (file === null) throw new Error(`internal: ${path} was listed and is not there`);
          files.push(file);
        }
        return files;
      }
      return [];
    },
    async describeSplits(dataset, wanted) {
      const [place] = findPlaces(dataset);
      return place === undefined ? "" : describeSplits(await listFiles(place), wanted);
    },
  };
}

/** Locations to try in turn: the main branch, then the branch with the Hub's conversion. */
function findPlaces(dataset: string): readonly HubDataset[] {
  const given = Object.hasOwn(HUB_DATASETS, dataset) ? HUB_DATASETS[dataset] : undefined;
  if (given !== undefined) return [given];
  if (/^[^/]+\/[^/]+$/.test(dataset)) {
    return [{ repo: dataset, revision: "main" }, { repo: dataset, revision: CONVERTED }];
  }
  throw new RangeError(
    `Cannot read data set "${dataset}" from the Hub: its name must be owner/name or one of ${
      Object.keys(HUB_DATASETS).join(", ")
    }`,
  );
}

/**
 * The files of a split on the branch with the Hub's conversion, `<configuration>/<split>/0000.parquet`. If there are
 * several configurations, the one named `default` is used.
 */
export function findConverted({ paths, where }: DatasetFiles, split: string): readonly string[] {
  const found = paths.filter((path) => {
    const [name = "", folder] = path.split("/").reverse();
    return folder === split && /^\d+\.parquet$/.test(name);
  });
  const configs = [...new Set(found.map((path) => path.split("/")[0]))];
  const config = configs.length > 1 && configs.includes("default") ? "default" : configs[0];
  if (configs.length > 1 && config !== "default") {
    throw new RangeError(
      `Cannot read split ${split} of ${where}: it has the configurations ${
        configs.join(", ")
      }, but no ` +
        "default. Copy the files of one into a separate folder and set data.dir to it",
    );
  }
  const files = found.filter((path) => path.startsWith(`${config}/`)).sort();
  checkShards(files, `split ${split} of ${where}`);
  return files;
}
