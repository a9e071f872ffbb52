/**
 * Reads, checks and writes notebook files in nbformat 4.5. The same notebook always has the same bytes.
 *
 * Format: https://nbformat.readthedocs.io/en/latest/format_description.html
 * @module
 */

import { readText, writeFileAtomic } from "@/system/files.ts";

/** A displayed value by media type. */
export type MediaBundle = Readonly<Record<string, unknown>>;

/** An output of a code cell. */
export type Output =
  | {
    readonly output_type: "stream";
    readonly name: "stdout" | "stderr";
    readonly text: readonly string[];
  }
  | {
    readonly output_type: "display_data";
    readonly data: MediaBundle;
    readonly metadata: Readonly<Record<string, unknown>>;
  }
  | {
    readonly output_type: "execute_result";
    readonly execution_count: number;
    readonly data: MediaBundle;
    readonly metadata: Readonly<Record<string, unknown>>;
  }
  | {
    readonly output_type: "error";
    readonly ename: string;
    readonly evalue: string;
    readonly traceback: readonly string[];
  };

/** A text cell. */
type TextCell = {
  readonly cell_type: "markdown" | "raw";
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly source: string;
};

/** A code cell with the outputs of its last execution. */
export type CodeCell = {
  readonly cell_type: "code";
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly source: string;
  readonly execution_count: number | null;
  readonly outputs: readonly Output[];
};

export type Cell = TextCell | CodeCell;

export type Notebook = { readonly cells: readonly Cell[] };

/** Tags of a cell. A cell tagged `raises-exception` must throw; one tagged `skip-execution` is not run. */
export function cellTags(cell: Cell): readonly string[] {
  const tags = cell.metadata["tags"];
  return Array.isArray(tags) ? tags.map(String) : [];
}

/** Splits text into lines as nbformat stores them, newlines included. */
export function toLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Reads a notebook file. */
export async function readNotebook(path: string): Promise<Notebook> {
  return parseNotebook(await readText(path, "notebook"), path);
}

/** Parses the text of a notebook file; `name` is used in errors. */
export function parseNotebook(text: string, name: string): Notebook {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(
      `notebook ${name}: not valid JSON: ${(error as Error).message}`,
    );
  }
  if (!isRecord(json) || json["nbformat"] !== 4 || !Array.isArray(json["cells"])) {
    throw new SyntaxError(
      `notebook ${name}: needs nbformat 4 and a list of cells; its nbformat is ${
        isRecord(json) ? json["nbformat"] : undefined
      }`,
    );
  }
  const cells = json["cells"].map((cell: unknown, i) => {
    const parsed = parseCell(cell, `cell-${i + 1}`);
    if (parsed === null) {
      throw new SyntaxError(
        `notebook ${name}: cell ${i + 1} is not a markdown, raw or code cell`,
      );
    }
    return parsed;
  });
  return { cells };
}

function parseCell(cell: unknown, defaultId: string): Cell | null {
  if (!isRecord(cell)) return null;
  const shared = {
    id: typeof cell["id"] === "string" ? cell["id"] : defaultId,
    metadata: isRecord(cell["metadata"]) ? cell["metadata"] : {},
    source: joinText(cell["source"]),
  };
  const type = cell["cell_type"];
  if (type === "markdown" || type === "raw") return { cell_type: type, ...shared };
  if (type !== "code") return null;
  const count = cell["execution_count"];
  return {
    cell_type: type,
    ...shared,
    execution_count: typeof count === "number" ? count : null,
    // outputs are only copied or dropped, so they are not checked
    outputs: Array.isArray(cell["outputs"]) ? cell["outputs"] as Output[] : [],
  };
}

/**
 * Formats a notebook file: fixed order of keys, no dates, no user settings. Of the language only the name is stored, so
 * that a new version of Deno does not change the file.
 */
export function formatNotebook(notebook: Notebook): string {
  const json = {
    cells: notebook.cells.map((cell) =>
      cell.cell_type === "code"
        ? {
          cell_type: cell.cell_type,
          execution_count: cell.execution_count,
          id: cell.id,
          metadata: sortKeys(cell.metadata),
          outputs: cell.outputs.map(sortKeys),
          source: toLines(cell.source),
        }
        : {
          cell_type: cell.cell_type,
          id: cell.id,
          metadata: sortKeys(cell.metadata),
          source: toLines(cell.source),
        }
    ),
    metadata: {
      kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
      language_info: {
        codemirror_mode: "typescript",
        file_extension: ".ts",
        mimetype: "text/x.typescript",
        name: "typescript",
        nbconvert_exporter: "script",
        pygments_lexer: "typescript",
      },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
  return JSON.stringify(json, null, 1) + "\n";
}

/** Writes a notebook file atomically. */
export async function writeNotebook(path: string, notebook: Notebook): Promise<void> {
  await writeFileAtomic(path, formatNotebook(notebook));
}

/** True if `value` is an object other than an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function joinText(source: unknown): string {
  return Array.isArray(source) ? source.join("") : typeof source === "string" ? source : "";
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value).sort().map((key) => [key, sortKeys(value[key])]),
  );
}
