import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { findConverted, openHubSource } from "@/data/hub.ts";
import { loadTask } from "@/data/load_task.ts";
import { NAME_TASK, TOPIC_TASK, withFolder, writeParquet } from "./fixtures.ts";
import { COMMIT, type FakeRepo, withFakeHub } from "./hub_server.ts";

const CONVERTED = "refs/convert/parquet";

Deno.test("findConverted() uses the only configuration or the default one", () => {
  const find = (paths: readonly string[], split: string) =>
    findConverted({ where: "data set o/x", paths, card: null, settings: null }, split);
  const converted = [
    "conll2003/train/0001.parquet",
    "conll2003/train/0000.parquet",
    "conll2003/test/0000.parquet",
    "conll2003/partial-validation/0000.parquet",
  ];
  deepStrictEqual(find(converted, "train"), converted.slice(0, 2).toReversed());
  deepStrictEqual(find(converted, "validation"), []);
  const two = ["a/test/0000.parquet", "default/test/0000.parquet"];
  deepStrictEqual(find(two, "test"), [two[1]]);
  throws(() => find(["a/test/0000.parquet", "b/test/0000.parquet"], "test"), {
    name: "RangeError",
    message:
      "Cannot read split test of data set o/x: it has the configurations a, b, but no default. " +
      "Copy the files of one into a separate folder and set data.dir to it",
  });
});

/** Two repositories as on the Hub: one with parquet on main, one with a script and a converted branch. */
async function withRepos(use: (repos: readonly FakeRepo[]) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const text = (rows: number) => ({
      text: Array.from({ length: rows }, (_, row) => `text ${row} of ${rows}`),
      label: Array.from({ length: rows }, (_, row) => row % 3),
    });
    const words = { tokens: [["a", "b"], ["c"]], ner_tags: [[1, 2], [0]] };
    const read = async (columns: Readonly<Record<string, readonly unknown[]>>) =>
      await Deno.readFile(await writeParquet(folder, "x.parquet", columns));
    await use([
      {
        id: "datasets/fancyzhx/ag_news",
        revision: "main",
        files: {
          "README.md": new Uint8Array([35]),
          "data/train-00000-of-00002.parquet": await read(text(10)),
          "data/train-00001-of-00002.parquet": await read(text(12)),
          "data/test-00000-of-00001.parquet": await read(text(5)),
        },
      },
      {
        id: "datasets/eriktks/conll2003",
        revision: CONVERTED,
        files: {
          "conll2003/train/0000.parquet": await read(words),
          "conll2003/validation/0000.parquet": await read(words),
          "conll2003/test/0000.parquet": await read(words),
        },
      },
      {
        id: "datasets/owner/news",
        revision: "main",
        files: { "train.parquet": await read(text(6)), "test.parquet": await read(text(3)) },
      },
    ]);
  });
}

Deno.test("openHubSource() resolves short names and owner/name for loadTask()", async () => {
  await withRepos((repos) =>
    withFakeHub(repos, async ({ settings }) => {
      const options = {
        source: openHubSource({ settings }),
        seed: 1,
        validationRows: 2,
        maxRows: null,
      };
      const news = await loadTask({ ...TOPIC_TASK, dataset: "ag_news" }, options);
      deepStrictEqual([news.train.length, news.validation.length, news.test.length], [20, 2, 5]);
      deepStrictEqual(news.test[1], { text: "text 1 of 5", label: 1 });
      const named = await loadTask({ ...TOPIC_TASK, dataset: "owner/news" }, options);
      deepStrictEqual([named.train.length, named.test.length], [5, 3]);

      const names = await loadTask({ ...NAME_TASK, dataset: "conll2003" }, options);
      deepStrictEqual(names.validation, [
        { tokens: ["a", "b"], tags: [1, 2] },
        { tokens: ["c"], tags: [0] },
      ]);
      const folder = join(settings.cacheDir, "datasets--eriktks--conll2003");
      strictEqual(await Deno.readTextFile(join(folder, "refs", CONVERTED)), COMMIT);
    })
  );
});

Deno.test("openHubSource() works offline with previously downloaded files", async () => {
  await withRepos((repos) =>
    withFakeHub(repos, async ({ settings, requests }) => {
      const first = await openHubSource({ settings }).files("ag_news", "train");
      strictEqual(first.length, 2);
      requests.length = 0;
      const offline = openHubSource({ settings: { ...settings, offline: true } });
      deepStrictEqual(await offline.files("ag_news", "train"), first);
      deepStrictEqual(await offline.files("ag_news", "test"), [], "was never fetched");
      strictEqual(offline.describe(), `the Hub's cache in ${settings.cacheDir} (HF_HUB_OFFLINE)`);
      await rejects(() => offline.files("conllpp", "test"), {
        message:
          `Cannot fetch dataset ZihanWangKi/conllpp at refs/convert/parquet: HF_HUB_OFFLINE is set, and the cache has no files of it in ${
            join(settings.cacheDir, "datasets--ZihanWangKi--conllpp")
          }`,
      });
      deepStrictEqual(requests, []);
    })
  );
});

Deno.test("openHubSource() follows the configs in README.md and lists the existing splits", async () => {
  const card =
    "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: rows/*\n---\n";
  const bytes = (text: string) => new TextEncoder().encode(text);
  const files = {
    "README.md": bytes(card),
    "rows/a.parquet": bytes("1"),
    "test.parquet": bytes("2"),
  };
  const repo = { id: "datasets/owner/news", revision: "main", files };
  await withFakeHub([repo], async ({ settings, requests }) => {
    const source = openHubSource({ settings });
    const [path = ""] = await source.files("owner/news", "train");
    ok(path.endsWith("rows/a.parquet"));
    deepStrictEqual(await source.files("owner/news", "test"), []);
    strictEqual(
      await source.describeSplits("owner/news", "test"),
      "It has train (rows/a.parquet), according to the configs in its README.md",
    );
    requests.length = 0;
    const offline = openHubSource({ settings: { ...settings, offline: true } });
    deepStrictEqual(await offline.files("owner/news", "train"), [path]);
    deepStrictEqual(await offline.files("owner/news", "test"), []);
    deepStrictEqual(requests, []);
  });
});

Deno.test("openHubSource() lists the short names if the given one is unknown", async () => {
  await withFakeHub([], async ({ settings }) => {
    await rejects(() => openHubSource({ settings }).files("imdb", "train"), {
      name: "RangeError",
      message:
        'Cannot read data set "imdb" from the Hub: its name must be owner/name or one of ag_news, conll2003, conllpp',
    });
  });
});
