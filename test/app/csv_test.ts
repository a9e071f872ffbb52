import { deepStrictEqual, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { formatCsv, parseCsv } from "@/app/page/page_csv.ts";

Deno.test("parseCsv() reads quotes, line endings and delimiters of spreadsheet programs", () => {
  deepStrictEqual(parseCsv('id,text\r\n1,"Hello, ""world""\nagain"\r\n2,\r\n'), {
    rows: [["id", "text"], ["1", 'Hello, "world"\nagain'], ["2", ""]],
    lines: [1, 2, 4],
    delimiter: ",",
  });
  deepStrictEqual(parseCsv("a;b\n1,5;x").rows, [["a", "b"], ["1,5", "x"]]);
  deepStrictEqual(parseCsv('"a,b"\tc\r1\t2\r').rows, [["a,b", "c"], ["1", "2"]]);
  deepStrictEqual(parseCsv("a,b\n\n1,2\n\n").rows, [["a", "b"], ["1", "2"]]);
  deepStrictEqual(parseCsv("text\n\none").rows, [["text"], [""], ["one"]]);
  deepStrictEqual(parseCsv("").rows, []);
  deepStrictEqual(parseCsv('5" nail,b\n1,2').rows, [['5" nail', "b"], ["1", "2"]]);
});

Deno.test("parseCsv() rejects a malformed table and names the line", () => {
  throws(() => parseCsv("id,text\n1,Hello, world\n"), {
    name: "RangeError",
    message: "Cannot read the table: the row at line 2 has 3 cells, but the first row has 2; " +
      "put cells that contain a comma in quotes",
  });
  throws(() => parseCsv('id,text\n1,"a\nb"\n2,"Hello\n'), {
    message: "Cannot read the table: the quoted cell at line 4 has no closing quote",
  });
  throws(() => parseCsv('id,text\n1,"a" b\n'), {
    message: "Cannot read the table: the quoted cell at line 2 has text after its closing quote",
  });
});

Deno.test("formatCsv() and parseCsv() round-trip", () => {
  const cell = fc.string({
    unit: fc.constantFrom("a", "é", '"', ",", ";", "\t", "\n", "\r", " ", ""),
  });
  const table = fc.integer({ min: 2, max: 4 }).chain((width) =>
    fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 4 })
  );
  fc.assert(
    fc.property(table, (rows) => {
      // unquoted cells in the first row determine the delimiter
      const whole = [rows[0]?.map((_, i) => `c${i}`) ?? [], ...rows];
      for (const delimiter of [",", ";", "\t"]) {
        const read = parseCsv(formatCsv(whole, delimiter));
        deepStrictEqual([read.rows, read.delimiter], [whole, delimiter]);
      }
    }),
    { numRuns: 300, seed: 19 },
  );
});

Deno.test("parseCsv() handles a cell of a million characters, with and without a closing quote", () => {
  const long = "x".repeat(1_000_000) + '""'.repeat(100_000);
  deepStrictEqual(parseCsv(`"${long}",b`).rows[0]?.[0]?.length, 1_100_000);
  throws(() => parseCsv(`a,b\n"${long},b`), { name: "RangeError" });
});
