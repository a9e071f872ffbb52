/**
 * Proposes the configuration of a run for a user's own data files, as commented text.
 * @module
 */

import { basename, dirname, extname, isAbsolute, relative, resolve } from "node:path";
import type { TaskConfig } from "@/config/config.ts";
import { PLAIN_SPLIT, PRESETS } from "@/config/presets.ts";
import { METRICS } from "@/config/config.ts";
import { findFiles, withDataFiles } from "@/data/file_source.ts";
import { loadTask, type TaskData } from "@/data/load_task.ts";
import { openHubSource } from "@/data/hub.ts";
import { type Decisions, proposeTask, type TaskProposal } from "@/data/propose_task.ts";
import { textOfRow } from "@/data/rows.ts";
import { formatOfName } from "@/data/tables/table.ts";
import { quantile } from "@/statistics.ts";
import { isFolder } from "@/system/files.ts";

/** A data set that a user named: files by split, or a folder, a glob pattern or a Hub name. */
export type NamedData = {
  /** Name of the task: the common stem of the files, or the name of the folder. */
  readonly name: string;
  /** File, folder, glob pattern or Hub name of the training rows. */
  readonly train: string;
  readonly validation: string | null;
  readonly test: string | null;
};

/** A task that was proposed, with its rows. */
export type ProposedTask = {
  readonly named: NamedData;
  readonly proposal: TaskProposal;
  readonly task: TaskConfig;
  readonly data: TaskData;
};

/** Words in file names that denote a split. */
const SPLIT_WORDS: readonly (readonly [split: "train" | "validation" | "test", words: RegExp])[] = [
  ["train", /^(train|training)$/i],
  ["validation", /^(validation|valid|val|dev|testa)$/i],
  ["test", /^(test|testing|eval|testb)$/i],
];

/** The split and the rest of a file's name: `reviews_train.csv` is train of `reviews`, `eng.testa` validation of `eng`. */
function splitOfName(path: string): { readonly stem: string; readonly split: string | null } {
  const name = basename(path);
  const stem = formatOfName(name) === null &&
      SPLIT_WORDS.every(([, words]) => !words.test(extname(name).slice(1)))
    ? name.replace(/\.[^.]+$/, "") || name
    : formatOfName(name) === null
    ? name
    : name.slice(0, -extname(name).length);
  const parts = stem.split(/[-_. ]+/);
  for (const [index, part] of parts.entries()) {
    const split = SPLIT_WORDS.find(([, words]) => words.test(part))?.[0];
    if (split === undefined) continue;
    const rest = parts.filter((_, other) => other !== index).join("_");
    return { stem: rest === "" ? basename(dirname(resolve(path))) : rest, split };
  }
  return { stem, split: null };
}

/** A task's name: letters, digits, `_` and `-` of the stem. */
const taskName = (stem: string) =>
  stem.replaceAll(/[^A-Za-z0-9_-]+/g, "_").replaceAll(/^_+|_+$/g, "") || "task";

type Group = { readonly stem: string; train?: string; validation?: string; test?: string };

/** Groups files by data set: `a_train.csv` and `a_test.csv` are one, other files are data sets of their own. */
export async function groupFiles(files: readonly string[]): Promise<readonly NamedData[]> {
  const groups = new Map<string, Group>();
  for (const path of files) {
    const isWhole = /[*?[]/.test(path) || await isFolder(path);
    const { stem, split } = isWhole
      ? { stem: basename(path.replace(/[/\\]?[*?[].*$/, "")) || "data", split: null }
      : splitOfName(path);
    const key = split === null ? `file ${path}` : `${stem} in ${dirname(path)}`;
    const group = groups.get(key) ?? { stem };
    const role = (split ?? "train") as "train" | "validation" | "test";
    if (group[role] !== undefined) {
      throw new RangeError(
        `Cannot tell the data sets apart: ${
          group[role]
        } and ${path} are both ${role} of "${stem}"; rename one`,
      );
    }
    groups.set(key, { ...group, [role]: path });
  }
  const used = new Set<string>();
  return [...groups.values()].map(({ stem, train, validation, test }) => {
    if (train === undefined) {
      throw new RangeError(
        `Cannot train on ${
          validation ?? test
        }: its name says that it is not train; give the file of the training rows too`,
      );
    }
    let name = taskName(stem);
    for (let number = 2; used.has(name); number++) name = `${taskName(stem)}_${number}`;
    used.add(name);
    return { name, train, validation: validation ?? null, test: test ?? null };
  });
}

/** Reads the files of a data set and proposes a task for it. */
export async function proposeNamedTask(
  named: NamedData,
  { decided, dropInvalid, seed }: {
    readonly decided: Decisions;
    readonly dropInvalid: boolean;
    readonly seed: number;
  },
): Promise<ProposedTask> {
  const source = withDataFiles(openHubSource(), ".");
  const isWhole = await isFolder(named.train);
  const dataset = isWhole && !/^([./]|[A-Za-z]:)/.test(named.train)
    ? `./${named.train}`
    : named.train;
  const files = isWhole ? await source.files(dataset, "train") : await findFiles(named.train);
  if (files.length === 0) {
    throw new Deno.errors.NotFound(
      `Cannot read ${named.train}: ${await source.describeSplits(dataset, "train")}`,
    );
  }
  const proposal = await proposeTask(files, decided);
  const inFolder = async (split: string) =>
    isWhole && (await source.files(dataset, split)).length > 0 ? split : null;
  const { splitColumn } = proposal;
  const task: TaskConfig = {
    name: named.name,
    kind: proposal.kind,
    dataset,
    columns: proposal.columns,
    labels: proposal.labels,
    split: {
      ...PLAIN_SPLIT,
      validation: splitColumn?.validation ?? named.validation ?? await inFolder("validation"),
      test: splitColumn?.test ?? named.test ?? await inFolder("test"),
      column: splitColumn?.column ?? null,
      stratify: true,
    },
    dropInvalid,
    alsoTest: [],
    weight: 1,
    metric: METRICS[proposal.kind][0],
  };
  const data = await loadTask(
    // rows that are invalid are counted here, and refused or dropped by training as the user decides
    { ...task, dropInvalid: true },
    { source, seed, validationRows: chooseCarved(proposal.statistics.rows), maxRows: null },
  );
  return { named, proposal, task, data };
}

/** Number of rows to carve for validation and for test: 15 %, at most 2,000. */
const chooseCarved = (rows: number) => Math.max(1, Math.min(2000, Math.round(0.15 * rows)));

/** Lines that describe a proposed task: files, columns, kind, labels, splits, lengths and suspicious rows. */
export function describeTask({ proposal, task, data }: ProposedTask): readonly string[] {
  const { kind, columns, statistics, notes, labels, counts } = proposal;
  const names = Object.values(columns).map((name) => `"${name}"`).join(" and ");
  const words = data.train.map((row) =>
    textOfRow(row).split(/\s+/).filter((word) => word !== "").length
  );
  const [middle, high, longest] = [0.5, 0.95, 1].map((share) => Math.round(quantile(words, share)));
  const count = (number: number) => number.toLocaleString("en-US");
  return [
    `${task.name}: ${kind} of columns ${names}, ${count(statistics.rows)} rows`,
    ...notes.map((note) => `  ${note}`),
    `  labels (${labels.length}): ${
      labels.slice(0, 20).map((label, index) =>
        counts[index] === undefined ? label : `${label} ${count(counts[index])}`
      ).join(", ")
    }${labels.length > 20 ? ", …" : ""}`,
    `  rows: ${count(data.train.length)} train, ${count(data.validation.length)} validation, ${
      count(data.test.length)
    } test`,
    `  words per text: median ${middle}, 95th percentile ${high}, maximum ${longest}`,
    ...data.notes.map((note) => `  ${note.replace(`${task.name}: `, "")}`),
    ...labels.flatMap((label, index) =>
      kind === "classification" && counts[index] === 1 ? [`  label ${label} has only one row`] : []
    ).slice(0, 5),
  ];
}

/** Choices for {@link formatConfig} beside the tasks. */
export type ConfigChoices = {
  /** Path of the configuration file, which paths of data files are relative to. */
  readonly out: string;
  /** Model folder or Hub name to fine-tune; null for a small model from scratch. */
  readonly model: string | null;
  /** Path or address of the JSON Schema. */
  readonly schema: string;
  readonly seed: number;
};

/** Largest number of tokens per text of a small model from scratch. */
const FRESH_LENGTH = 128;
/** Tokens per word, by which the length limit is estimated before there is a tokenizer. */
const TOKENS_PER_WORD = 1.5;

/** The commented configuration (JSON with comments) that trains the tasks together. */
export function formatConfig(tasks: readonly ProposedTask[], choices: ConfigChoices): string {
  const { out, model, schema, seed } = choices;
  const preset = model === null ? "quickstart" : "minilm";
  const words = tasks.flatMap(({ data }) =>
    data.train.map((row) => textOfRow(row).split(/\s+/).length)
  );
  const wanted = Math.ceil(quantile(words, 0.99) * TOKENS_PER_WORD) + 2;
  const maxLength = Math.max(32, Math.min(FRESH_LENGTH, Math.ceil(wanted / 16) * 16));
  const rows = Math.max(...tasks.map(({ data }) => data.train.length));
  const steps = Math.ceil(rows / (PRESETS[preset]?.training.batchRows ?? 32));
  const least = model === null ? 400 : 150; // steps that a model of either kind needs to learn a simple task
  const epochs = Math.max(model === null ? 4 : 2, Math.min(30, Math.ceil(least / steps)));
  const folder = dirname(resolve(out));
  const pathFrom = (path: string) => {
    const found = relative(folder, resolve(path)).replaceAll("\\", "/");
    // a file elsewhere keeps the path that the user gave, if that does not depend on the folder
    if (found.startsWith("../") && isAbsolute(path)) return path;
    return /^[./]/.test(found) ? found : `./${found}`;
  };
  const json = (value: unknown) => JSON.stringify(value);
  const formatTask = ({ task, named, data }: ProposedTask): string => {
    const file = (path: string | null) =>
      path !== null && (path === named.validation || path === named.test) ? pathFrom(path) : path;
    const { split } = task;
    const carved = [
      ...(split.validation === null ? ["validation"] : []),
      ...(split.test === null ? ["test"] : []),
    ];
    return `    {
      "name": ${json(task.name)}, // its scores are scores.${task.name}.<split> in summary.json
      "kind": ${json(task.kind)},
      "dataset": ${json(pathFrom(task.dataset))},
      "columns": ${
      json(task.columns).replaceAll(":", ": ").replaceAll(",", ", ").replace("{", "{ ").replace(
        "}",
        " }",
      )
    },
      "labels": ${formatList(task.labels)}, // in the order of the model's outputs
      "split": {
        "validation": ${json(file(split.validation))},${
      carved.includes("validation") ? ` // carved from train: ${data.validation.length} rows` : ""
    }
        "test": ${json(file(split.test))},${
      carved.includes("test") ? ` // carved from train: ${data.test.length} rows` : ""
    }
        "column": ${json(split.column)}, // a column with the name of each row's split
        "group": ${json(split.group)}, // a column by which rows belong together, such as an author
        "stratify": ${json(split.stratify)} // carved splits keep the shares of the classes
      },
      "dropInvalid": ${
      json(task.dropInvalid)
    }, // true leaves out rows with missing or unknown values
      "metric": ${json(task.metric)} // the score that represents the task: ${
      METRICS[task.kind].join(", ")
    }
    }`;
  };
  return `// A run on ${tasks.map(({ named }) => basename(named.train)).join(", ")}; start it with
//   deno task train --config ${/^[\w./-]+$/.test(out) ? out : json(out)}
// Keys that are not here come from the preset; any of them may be added.
{
  "$schema": ${json(schema)},
  "preset": ${json(preset)},
  "model": {
    ${
    model === null
      ? `// null: a small model from scratch. A pretrained one learns more from few rows, for example
    // "sentence-transformers/all-MiniLM-L6-v2" (90 MB from the Hugging Face Hub) or a folder.
    "source": null,`
      : `"source": ${json(model)},`
  }
    "maxLength": ${maxLength} // tokens; the 99th percentile of the texts is about ${wanted}
  },
  "tasks": [
${tasks.map(formatTask).join(",\n")}
  ],
  "training": {
    "epochs": ${epochs}, // about ${
    (epochs * steps).toLocaleString("en-US")
  } steps of 32 rows per task
    "evaluateEvery": ${
    Math.max(10, Math.ceil(epochs * steps / 10))
  }, // steps between scores on validation
    // keeps the best model, and stops after five evaluations without improvement
    "earlyStopping": { "metric": "mean", "patience": 5, "minDelta": 0 }
  },
  "data": {
    "dir": null, // paths of data files are relative to this file
    "validationRows": ${
    chooseCarved(Math.max(...tasks.map(({ proposal }) => proposal.statistics.rows)))
  } // rows carved for each missing split
  },
  "seed": ${seed}
}
`;
}

function formatList(labels: readonly string[]): string {
  const line = `[${labels.map((label) => JSON.stringify(label)).join(", ")}]`;
  if (line.length <= 90) return line;
  return `[\n${labels.map((label) => `        ${JSON.stringify(label)}`).join(",\n")}\n      ]`;
}
