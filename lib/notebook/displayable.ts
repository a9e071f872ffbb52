/**
 * Values that a notebook displays as the result of a cell: text, HTML, tables.
 * @module
 */

/** Name of the method that the Deno kernel calls to display a value. */
export const DISPLAY = Symbol.for("Jupyter.display");

/** The same content as text and as HTML; a front end shows the richest form that it supports. */
export type Shown = { readonly "text/plain": string; readonly "text/html": string };

/** A value that notebooks can display. */
export type Displayable = { readonly [DISPLAY]: () => Shown };

/** Creates a value that is displayed as `shown`. */
export function displayable(shown: Shown): Displayable {
  return { [DISPLAY]: () => shown };
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Escapes text for HTML elements and attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}

/** Shows the parts one below the other. */
export function stack(parts: readonly Displayable[]): Displayable {
  const shown = parts.map((part) => part[DISPLAY]());
  return displayable({
    "text/plain": shown.map((part) => part["text/plain"]).join("\n"),
    "text/html": shown.map((part) => part["text/html"]).join("\n"),
  });
}

/** A line of text. */
export function showText(text: string): Displayable {
  return displayable({ "text/plain": text, "text/html": `<p>${escapeHtml(text)}</p>` });
}

/** Options of a table. */
type TableOptions = {
  /** Columns in their order; default: all columns, in order of appearance. */
  readonly columns?: readonly string[];
  /** Maximum number of rows; the table says how many more there are. */
  readonly limit?: number;
  /** Number of decimals of numbers that are not integers. */
  readonly digits?: number;
};

/** Shows rows as a table, such as a polars frame's `toRecords()`. Numbers are right-aligned. */
export function showTable(
  rows: readonly Readonly<Record<string, unknown>>[],
  options: TableOptions = {},
): Displayable {
  const { limit = 20, digits = 4 } = options;
  const columns = options.columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = rows.slice(0, limit);
  const cells = shown.map((row) => columns.map((column) => formatCell(row[column], digits)));
  const numeric = columns.map((column) =>
    shown.length > 0 && shown.every((row) => ["number", "bigint"].includes(typeof row[column]))
  );
  const rest = rows.length > limit ? `and ${rows.length - limit} more` : "";
  return displayable({
    "text/plain": formatText(columns, cells, numeric) + (rest === "" ? "" : `\n${rest}`),
    "text/html": formatHtml(columns, cells, numeric) + (rest === "" ? "" : `<p>${rest}</p>`),
  });
}

function formatCell(value: unknown, digits: number): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && !Number.isInteger(value)) {
    return Number.isFinite(value) ? value.toFixed(digits) : String(value);
  }
  if (Array.isArray(value)) return value.map((item) => formatCell(item, digits)).join(" ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function formatText(
  columns: readonly string[],
  cells: readonly (readonly string[])[],
  numeric: readonly boolean[],
): string {
  const oneLine = (text: string) => text.replace(/\s+/g, " ");
  const lines = [columns, ...cells].map((line) => line.map(oneLine));
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const format = (line: readonly string[]) =>
    line.map((cell, i) => numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))
      .join("  ").trimEnd();
  const [head = [], ...body] = lines;
  return [format(head), widths.map((width) => "─".repeat(width)).join("  "), ...body.map(format)]
    .join("\n");
}

function formatHtml(
  columns: readonly string[],
  cells: readonly (readonly string[])[],
  numeric: readonly boolean[],
): string {
  // GitHub drops styles; JupyterLab's own style sheet overrides the attribute.
  const align = (i: number) => {
    const side = numeric[i] ? "right" : "left";
    return ` align="${side}" style="text-align: ${side}"`;
  };
  const head = columns.map((column, i) => `<th${align(i)}>${escapeHtml(column)}</th>`).join("");
  const body = cells.map((line) =>
    `<tr>${line.map((cell, i) => `<td${align(i)}>${escapeHtml(cell)}</td>`).join("")}</tr>`
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}
