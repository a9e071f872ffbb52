/**
 * Reads the splits that a data set declares in the YAML of `README.md`: `configs` with file patterns.
 *
 * Format: https://huggingface.co/docs/hub/datasets-manual-configuration
 * @module
 */

import { parse, YAMLParseError } from "yaml";

/** File patterns by split. */
export type SplitPatterns = ReadonlyMap<string, readonly string[]>;

/** The default configuration of a data set. */
type DatasetConfig = {
  /** Folder that paths are relative to, with a trailing slash; empty for the root. */
  readonly folder: string;
  /** File patterns by split; null if the splits are inferred from file names. */
  readonly patterns: SplitPatterns | null;
};

type JsonObject = { readonly [key: string]: unknown };

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True if `datasets` accepts `name` as a split name. */
export function isSplitName(name: string): boolean {
  return /^[\p{L}\p{N}_]+(\.[\p{L}\p{N}_]+)*$/u.test(name);
}

/** Texts that may declare configurations, and the location to name in errors. */
type CardTexts = {
  readonly where: string;
  readonly card: string | null;
  readonly settings: string | null;
};

/** Reads the default configuration of a data set; null if it declares none. */
export function readConfigs({ where, card, settings }: CardTexts): DatasetConfig | null {
  const head = /^\s*---[\r\n]+([^]*?)[\r\n]+---(?:\r?\n|$)/.exec(card ?? "")?.[1] ?? "";
  const configs = readYaml(settings ?? "", `.huggingface.yaml of ${where}`).configs ??
    readYaml(head, `README.md of ${where}`).configs;
  if (configs === undefined || configs === null) return null;
  const refuse = (problem: string): never => {
    throw new SyntaxError(`Cannot read ${where}: "configs" in its README.md ${problem}`);
  };
  if (!Array.isArray(configs)) return refuse("is not a list");
  if (configs.length === 0) return null;
  const named = configs.map((config: unknown) =>
    isObject(config) && typeof config.config_name === "string"
      ? { name: config.config_name, config }
      : refuse("has an entry without config_name")
  );
  const defaults = named.filter(({ name, config }) =>
    named.length === 1 || name === "default" || config.default === true
  );
  const [chosen] = defaults;
  if (chosen === undefined || defaults.length > 1) {
    const names = (chosen === undefined ? named : defaults).map(({ name }) => name).join(", ");
    return refuse(
      chosen === undefined
        ? `has the configurations ${names}, but no default. Copy the files of one into a separate folder`
        : `marks more than one as the default: ${names}`,
    );
  }
  const { data_dir: folder, data_files: files } = chosen.config;
  return {
    folder: typeof folder === "string" ? normalizeFolder(folder) : "",
    patterns: files === undefined || files === null ? null : readPatterns(files) ??
      refuse(`has data_files of ${chosen.name} in an unknown form`),
  };
}

/** `./a/b/` → `a/b/`; the root becomes empty. */
function normalizeFolder(folder: string): string {
  const parts = folder.split("/").filter((part) => part !== "" && part !== ".");
  return parts.map((part) => `${part}/`).join("");
}

/** Reads `data_files` of a configuration; null if it is malformed. */
function readPatterns(files: unknown): SplitPatterns | null {
  const list = Array.isArray(files) ? files : [files];
  const paths = readTexts(list);
  if (paths !== null) return new Map([["train", paths]]);
  const patterns = new Map<string, readonly string[]>();
  for (const entry of list) {
    if (!isObject(entry) || typeof entry.split !== "string" || !isSplitName(entry.split)) {
      return null;
    }
    const given = readTexts(Array.isArray(entry.path) ? entry.path : [entry.path]);
    if (given === null || patterns.has(entry.split)) return null;
    patterns.set(entry.split, given);
  }
  return patterns;
}

function readTexts(values: readonly unknown[]): readonly string[] | null {
  const texts = values.filter((value) => typeof value === "string");
  return texts.length === values.length ? texts : null;
}

function readYaml(text: string, what: string): JsonObject {
  try {
    const value: unknown = parse(text, { logLevel: "error" });
    return isObject(value) ? value : {};
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const reason = error.message.split("\n")[0]?.replace(/:$/, "");
    throw new SyntaxError(`Cannot read the YAML in ${what}: ${reason}`);
  }
}
