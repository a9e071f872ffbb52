/**
 * Notebook files: nbformat 4.5 read, checked and written so that the same notebook has the same bytes.
 *
 * Format: https://nbformat.readthedocs.io/en/latest/format_description.html
 * @module
 */

import { readText, writeFileAtomic } from "@/files.ts";

/** A value by media type, as shown to the reader of a notebook. */
export type MediaBundle = Readonly<Record<string, unknown>>;

/** What a code cell put out. */
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

/** A cell of text. */
export type TextCell = {
  readonly cell_type: "markdown" | "raw";
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly source: string;
};

/** A cell of code with what it put out when it last ran. */
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

/** The tags of a cell; `raises-exception`: the cell must throw, `skip-execution`: it is not run. */
export function cellTags(cell: Cell): readonly string[] {
  const tags = cell.metadata["tags"];
  return Array.isArray(tags) ? tags.map(String) : [];
}

/** Text as the lines that nbformat keeps it in, line ends included. */
export function toLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Reads a notebook file. */
export async function readNotebook(path: string): Promise<Notebook> {
  return parseNotebook(await readText(path, "notebook"), path);
}

/** A notebook from its text; `name` is for errors. */
export function parseNotebook(text: string, name: string): Notebook {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(
      `Cannot read notebook ${name} as it must be JSON: ${(error as Error).message}`,
    );
  }
  if (!isRecord(json) || json["nbformat"] !== 4 || !Array.isArray(json["cells"])) {
    throw new SyntaxError(
      `Cannot read notebook ${name} as it must have nbformat 4 and cells: current nbformat is ${
        isRecord(json) ? json["nbformat"] : undefined
      }`,
    );
  }
  const cells = json["cells"].map((cell: unknown, i) => {
    const parsed = parseCell(cell, `cell-${i + 1}`);
    if (parsed === null) {
      throw new SyntaxError(
        `Cannot read notebook ${name} as cell ${i + 1} must be a markdown, raw or code cell`,
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
    // outputs are only carried over or thrown away, so their inside is not checked
    outputs: Array.isArray(cell["outputs"]) ? cell["outputs"] as Output[] : [],
  };
}

/**
 * A notebook's file text: keys in one order, no clock, no user's settings; the language's name only,
 * so that another version of Deno does not change the file.
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

/** Writes a notebook file, whole or not at all. */
export async function writeNotebook(path: string, notebook: Notebook): Promise<void> {
  await writeFileAtomic(path, formatNotebook(notebook));
}

/** Whether `value` is an object with named values. */
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
