/**
 * What is damaged, and how it is read: files of a finished run and of a data set, each read as the tasks
 * read it, with a look at whether what comes of it can be right.
 * @module
 */
import { dirname, join, relative } from "node:path";
import { assertNever } from "@/assert_never.ts";
import type { ModelConfig } from "@/config.ts";
import { readRows } from "@/data/read_rows.ts";
import { SAMPLE_FOLDER } from "@/data/sample_source.ts";
import { isFile, readJson } from "@/files.ts";
import { loadModel } from "@/model/load_model.ts";
import { disposeModel } from "@/model/parameters.ts";
import { openSafetensors } from "@/model/safetensors.ts";
import { PRESETS } from "@/presets.ts";
import type { Prng } from "@/random.ts";
import { resolveConfig } from "@/resolve_config.ts";
import { loadTokenizer } from "@/text/load_tokenizer.ts";
import { prepareRun } from "@/train/prepare_run.ts";
import { mutateBytes, mutateJson, mutateSafetensors, type Mutation } from "@/torture/mutate.ts";
import { makeHubCache } from "@/torture/hub_subject.ts";
import { openSavedCheckpoint } from "@/torture/saved_checkpoint.ts";

/** What is damaged. */
export const SUBJECTS = [
  "safetensors",
  "parquet",
  "tokenizer.json",
  "configuration",
  "checkpoint",
  "Hub cache",
] as const;
/** One of {@link SUBJECTS}. */
export type SubjectName = typeof SUBJECTS[number];

/** Files that are damaged one at a time, and the way they are read. */
export type Subject = {
  /** Paths in the folder that {@link openSubject} was given. */
  readonly files: readonly string[];
  /** Reads `file`, damaged; gives what is wrong with the result, null where nothing is. */
  read(file: string): Promise<string | null>;
};

const MODEL_FILES = [
  "config.json",
  "heads.json",
  "modules.json",
  "sentence_bert_config.json",
  "tokenizer_config.json",
  join("1_Pooling", "config.json"),
].map((name) => join("model", name));

const TASKS = PRESETS.quickstart.tasks;
/** A table of each task. */
const TABLES = TASKS.map(({ dataset }) => join("data", dataset, "test.parquet"));

/** A text with all that a tokenizer must bear. */
const PROBE = "Héllo, [SEP] wörld! 東京 naïve 🙂 \u0301 Nexavor's 1,234.5 un\u00adfamiliar\tend";

/** Opens a subject in `folder`, where copies of a finished run and of the built-in sample are. */
export async function openSubject(name: SubjectName, folder: string): Promise<Subject> {
  switch (name) {
    case "safetensors":
      return {
        files: ["model.safetensors", "heads.safetensors"].map((name) => join("model", name)),
        read: async (file) =>
          await readTensors(join(folder, file)) ?? await readModel(join(folder, "model")),
      };
    case "parquet":
      return {
        files: TABLES,
        async read(file) {
          const task = TASKS[TABLES.indexOf(file)];
          if (task === undefined) throw new TypeError(`internal: no task reads ${file}`);
          const rows = await readRows([join(folder, file)], task);
          return rows.length > 0 ? null : "it gave no rows";
        },
      };
    case "tokenizer.json":
      return {
        files: [join("model", "tokenizer.json")],
        read: () => readTokenizer(join(folder, "model")),
      };
    case "configuration":
      return {
        files: ["config.json", ...MODEL_FILES],
        read: (file) =>
          file === "config.json"
            ? readConfig(join(folder, file))
            : readModel(join(folder, "model")).then((fault) =>
              fault ?? readTokenizer(join(folder, "model"))
            ),
      };
    case "checkpoint": {
      const checkpoint = await openSavedCheckpoint(join(folder, "checkpoint"));
      return {
        files: checkpoint.files.map((name) => join("checkpoint", name)),
        read: checkpoint.read,
      };
    }
    case "Hub cache": {
      const cache = join(folder, "hub");
      const { files, read } = await makeHubCache(cache, join(folder, TABLES[0] ?? ""));
      return { files: files.map((name) => join("hub", name)), read };
    }
    default:
      return assertNever(name, "subject");
  }
}

/** Damages a file of a kind that its name tells. */
export function mutateFile(
  file: string,
  bytes: Uint8Array<ArrayBuffer>,
  prng: Prng,
): Mutation {
  if (file.endsWith(".json")) return mutateJson(new TextDecoder().decode(bytes), prng);
  return file.endsWith(".safetensors") ? mutateSafetensors(bytes, prng) : mutateBytes(bytes, prng);
}

/** Copies a finished run and the tables of the built-in sample into `folder`. */
export async function copySubjects(run: string, folder: string): Promise<void> {
  for (const part of ["config.json", "model", "checkpoint"]) {
    await copyAll(join(run, part), join(folder, part));
  }
  for (const table of TABLES) {
    await copyAll(join(SAMPLE_FOLDER, relative("data", table)), join(folder, table));
  }
}

async function copyAll(from: string, to: string): Promise<void> {
  if (await isFile(from)) {
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.copyFile(from, to);
    return;
  }
  for await (const { name } of Deno.readDir(from)) await copyAll(join(from, name), join(to, name));
}

async function readTensors(path: string): Promise<string | null> {
  using file = await openSafetensors(path);
  for (const { name, shape } of file.entries.values()) {
    const values = await file.read(name);
    const size = shape.reduce((product, length) => product * length, 1);
    if (values.length !== size) return `${name} has ${values.length} values, not ${size}`;
  }
  return null;
}

async function readModel(folder: string): Promise<string | null> {
  const { model } = await loadModel(folder);
  disposeModel(model);
  return null;
}

/** A tokenizer must give ids of its own vocabulary, and places that rise within the text. */
async function readTokenizer(folder: string): Promise<string | null> {
  const tokenizer = await loadTokenizer(folder);
  const { ids, starts, ends } = tokenizer.encodeWithOffsets(PROBE);
  for (const [i, id] of ids.entries()) {
    const start = starts[i] ?? NaN, end = ends[i] ?? NaN;
    if (!(id >= 0 && id < tokenizer.vocabularySize)) return `it gave the id ${id}`;
    if (!(start >= 0 && start <= end && end <= PROBE.length)) {
      return `it placed a piece at ${start} to ${end}`;
    }
  }
  const same = tokenizer.encodeText(PROBE);
  return `${same}` === `${ids}` ? null : "it gave other ids with offsets than without";
}

/**
 * A configuration that is taken must be complete: resolved again, it is itself. A run over it must be
 * ready for its first step; what is asked for on purpose, a huge model or another device, is not tried.
 */
async function readConfig(path: string): Promise<string | null> {
  const config = resolveConfig({ file: await readJson(path, "run to resume") });
  const again = resolveConfig({ file: JSON.parse(JSON.stringify(config)) });
  if (JSON.stringify(again) !== JSON.stringify(config)) return "it changed when resolved again";
  if (config.device !== "cpu" || config.model.source === null && !isSmall(config.model.fresh)) {
    return null;
  }
  const run = await prepareRun(config, null);
  try {
    for (const { stream } of run.setup.tasks.values()) {
      const { rows, length, ids } = stream.next();
      if (ids.length !== rows * length) return "it gave batches of another size than they say";
    }
    return null;
  } finally {
    run.dispose();
  }
}

/** Whether a fresh encoder is one that a machine of any size would make at once: below 4 M parameters. */
function isSmall(fresh: ModelConfig["fresh"]): boolean {
  const { hiddenSize, layers, intermediateSize, maxPositions, vocabularySize } = fresh;
  const perLayer = 4 * hiddenSize + 2 * intermediateSize;
  return hiddenSize * (vocabularySize + maxPositions + layers * perLayer) < 4e6;
}
