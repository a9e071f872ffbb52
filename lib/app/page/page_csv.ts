/**
 * Reads and writes comma-separated values (RFC 4180). Semicolons and tabs are also accepted as delimiters.
 * @module
 */

/** Parsed table. */
type CsvTable = {
  readonly rows: readonly (readonly string[])[];
  /** Line of the file that each row starts on, counted from 1. */
  readonly lines: readonly number[];
  readonly delimiter: Delimiter;
};

const DELIMITERS = [",", ";", "\t"] as const;
type Delimiter = typeof DELIMITERS[number];

/** The most frequent delimiter in the first record, outside quotes; a comma if there is none. */
function findDelimiter(text: string): Delimiter {
  const [record = ""] = /^(?:"[^"]*(?:""[^"]*)*"|[^"\r\n])*/.exec(text) ?? [];
  const bare = record.replace(/"[^"]*"/g, "");
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

/**
 * Parses a table. Blank lines count as rows only if the table has a single column.
 *
 * @throws {RangeError} with the line number if a quoted cell is not closed or rows differ in their number of cells
 */
export function parseCsv(text: string): CsvTable {
  const delimiter = findDelimiter(text);
  const token = new RegExp(
    `"([^"]*(?:""[^"]*)*)"|([^"${delimiter}\\r\\n][^${delimiter}\\r\\n]*)`,
    "y",
  );
  const rows: string[][] = [], lines: number[] = [];
  let at = 0, line = 1;
  while (at < text.length) {
    const cells: string[] = [], first = line;
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        token.lastIndex = at;
        const quoted = token.exec(text);
        const after = text[token.lastIndex];
        const isWhole = quoted !== null &&
          (after === undefined || after === delimiter || after === "\r" || after === "\n");
        if (!isWhole) {
          throw new RangeError(
            `Cannot read the table: the quoted cell at line ${line} ` +
              (quoted === null ? "has no closing quote" : "has text after its closing quote"),
          );
        }
        cell = (quoted[1] ?? "").replaceAll('""', '"');
        line += cell.match(/\r\n|\n|\r/g)?.length ?? 0;
        at = token.lastIndex;
      } else {
        token.lastIndex = at;
        cell = token.exec(text)?.[2] ?? "";
        at += cell.length;
      }
      cells.push(cell);
      if (text[at] !== delimiter) break;
      at++;
    }
    if (text.startsWith("\r\n", at)) at += 2;
    else if (at < text.length) at++;
    line++;
    rows.push(cells);
    lines.push(first);
  }
  return checkWidths({ rows, lines, delimiter });
}

/** Removes blank lines from a table with several columns; throws if rows differ in their number of cells. */
function checkWidths({ rows, lines, delimiter }: CsvTable): CsvTable {
  const width = rows[0]?.length ?? 0;
  const isBlank = (row: readonly string[] | undefined) => row?.length === 1 && row[0] === "";
  const kept = [...rows.keys()].filter((i) => width === 1 || !isBlank(rows[i]));
  const invalid = kept.find((i) => rows[i]?.length !== width);
  if (invalid !== undefined) {
    throw new RangeError(
      `Cannot read the table: the row at line ${lines[invalid]} has ${
        rows[invalid]?.length
      } cells, ` +
        `but the first row has ${width}; put cells that contain a ${
          { ",": "comma", ";": "semicolon", "\t": "tab" }[delimiter]
        } in quotes`,
    );
  }
  return {
    rows: kept.map((i) => rows[i] ?? []),
    lines: kept.map((i) => lines[i] ?? 0),
    delimiter,
  };
}

/** Formats a table as text; quotes a cell only if necessary. */
export function formatCsv(
  rows: readonly (readonly string[])[],
  delimiter: string = ",",
): string {
  const write = (cell: string) =>
    cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  // unquoted, a row of one empty cell would be a blank line
  const writeRow = (row: readonly string[]) =>
    row.length === 1 && row[0] === "" ? '""' : row.map(write).join(delimiter);
  return rows.map((row) => `${writeRow(row)}\r\n`).join("");
}
