/**
 * Tables as comma-separated values (RFC 4180), also with semicolons or tabs between cells.
 * @module
 */

/** A table as it stands in a file. */
export type CsvTable = {
  readonly rows: readonly (readonly string[])[];
  /** The line of the file that each row begins at, from 1. */
  readonly lines: readonly number[];
  readonly delimiter: Delimiter;
};

const DELIMITERS = [",", ";", "\t"] as const;
type Delimiter = typeof DELIMITERS[number];

/** The delimiter that occurs most often in the first record, outside quotes; a comma where none does. */
function findDelimiter(text: string): Delimiter {
  const [record = ""] = /^(?:"[^"]*(?:""[^"]*)*"|[^"\r\n])*/.exec(text) ?? [];
  const bare = record.replace(/"[^"]*"/g, "");
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

/**
 * The table in a text. Blank lines are rows only where the table has a single column.
 *
 * @throws {RangeError} with the line, where a quote does not end or a row has another number of cells
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
            `Cannot read the table as a cell in quotes must end with a quote: the one at line ${line} ` +
              (quoted === null ? "does not end" : "goes on after its quote"),
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

/** Drops blank lines of a table with several columns, and refuses rows of different widths. */
function checkWidths({ rows, lines, delimiter }: CsvTable): CsvTable {
  const width = rows[0]?.length ?? 0;
  const isBlank = (row: readonly string[] | undefined) => row?.length === 1 && row[0] === "";
  const kept = [...rows.keys()].filter((i) => width === 1 || !isBlank(rows[i]));
  const odd = kept.find((i) => rows[i]?.length !== width);
  if (odd !== undefined) {
    throw new RangeError(
      `Cannot read the table as each row must have ${width} ${
        width === 1 ? "cell" : "cells"
      }, as the first one: the one at line ` +
        `${lines[odd]} has ${rows[odd]?.length}; put a cell that holds a ${
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

/** A table as text; cells are quoted where they must be. */
export function formatCsv(
  rows: readonly (readonly string[])[],
  delimiter: string = ",",
): string {
  const write = (cell: string) =>
    cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  // a row of one empty cell would be a blank line
  const writeRow = (row: readonly string[]) =>
    row.length === 1 && row[0] === "" ? '""' : row.map(write).join(delimiter);
  return rows.map((row) => `${writeRow(row)}\r\n`).join("");
}
