/**
 * Kinds of files to damage, and how each is read: files of a finished run and of a data set, read as the tasks
 * of the command line read them, with checks of the result.
 * @module
 */
import { dirname, join, relative } from "node:path";
import { assertNever } from "@/assert_never.ts";
import type { ModelConfig } from "@/config/config.ts";
import { readRows } from "@/data/read_rows.ts";
import { SAMPLE_FOLDER } from "@/data/local.ts";
import { isFile, readJson } from "@/system/files.ts";
import { loadModel } from "@/model/load_model.ts";
import { disposeModel } from "@/model/parameters.ts";
import { openSafetensors } from "@/model/safetensors.ts";
import { PRESETS } from "@/config/presets.ts";
import type { Prng } from "@/random.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { loadTokenizer } from "@/text/load_tokenizer.ts";
import { prepareRun } from "@/train/prepare_run.ts";
import { mutateBytes, mutateJson, mutateSafetensors, type Mutation } from "./mutate.ts";
import { makeHubCache } from "./hub_subject.ts";
import { openSavedCheckpoint } from "./saved_checkpoint.ts";

/** Kinds of files to damage. */
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

/** Files that are damaged one at a time, and a function that reads them. */
export type Subject = {
  /** Paths relative to the folder passed to {@link openSubject}. */
  readonly files: readonly string[];
  /** Reads the damaged `file`. Returns a description if the result is wrong, else null. */
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
/** One table per task. */
const TABLES = TASKS.map(({ dataset }) => join("data", dataset, "test.parquet"));

/** A text with difficult input for a tokenizer. */
const PROBE = "Héllo, [SEP] wörld! 東京 naïve 🙂 \u0301 Nexavor's 1,234.5 un\u00adfamiliar\tend";

/** Opens a subject in `folder`, which holds copies of a finished run and of the built-in sample. */
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
          return rows.length > 0 ? null : "it has no rows";
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

/** Damages a file according to its format, which its name determines. */
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

/** Checks that a tokenizer returns ids of its vocabulary and valid offsets. */
async function readTokenizer(folder: string): Promise<string | null> {
  const tokenizer = await loadTokenizer(folder);
  const { ids, starts, ends } = tokenizer.encodeWithOffsets(PROBE);
  for (const [i, id] of ids.entries()) {
    const start = starts[i] ?? NaN, end = ends[i] ?? NaN;
    if (!(id >= 0 && id < tokenizer.vocabularySize)) return `it returned the invalid id ${id}`;
    if (!(start >= 0 && start <= end && end <= PROBE.length)) {
      return `it returned the offsets ${start} to ${end} for a token`;
    }
  }
  const same = tokenizer.encodeText(PROBE);
  return `${same}` === `${ids}` ? null : "its ids with offsets differ from those without";
}

/**
 * Checks that an accepted configuration is complete: resolving it again must not change it. A run with it must
 * be ready for its first step. Huge models and other devices are skipped.
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
      if (ids.length !== rows * length) return "its batches do not have their declared size";
    }
    return null;
  } finally {
    run.dispose();
  }
}

/** True if a randomly initialized encoder has fewer than about 4 million parameters. */
function isSmall(fresh: ModelConfig["fresh"]): boolean {
  const { hiddenSize, layers, intermediateSize, maxPositions, vocabularySize } = fresh;
  const perLayer = 4 * hiddenSize + 2 * intermediateSize;
  return hiddenSize * (vocabularySize + maxPositions + layers * perLayer) < 4e6;
}
