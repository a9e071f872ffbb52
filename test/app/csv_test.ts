import { deepStrictEqual, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { formatCsv, parseCsv } from "@/app/page/csv.ts";

Deno.test("parseCsv() reads quotes, line ends and delimiters as spreadsheets write them", () => {
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

Deno.test("parseCsv() refuses a table that would be misread, with the line", () => {
  throws(() => parseCsv("id,text\n1,Hello, world\n"), {
    name: "RangeError",
    message: "Cannot read the table as each row must have 2 cells, as the first one: the one at " +
      "line 2 has 3; put a cell that holds a comma in quotes",
  });
  throws(() => parseCsv('id,text\n1,"a\nb"\n2,"Hello\n'), {
    message: "Cannot read the table as a cell in quotes must end with a quote: the one at line 4 " +
      "does not end",
  });
  throws(() => parseCsv('id,text\n1,"a" b\n'), {
    message: "Cannot read the table as a cell in quotes must end with a quote: the one at line 2 " +
      "goes on after its quote",
  });
});

Deno.test("a table is the same after formatCsv() and parseCsv()", () => {
  const cell = fc.string({
    unit: fc.constantFrom("a", "é", '"', ",", ";", "\t", "\n", "\r", " ", ""),
  });
  const table = fc.integer({ min: 2, max: 4 }).chain((width) =>
    fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 4 })
  );
  fc.assert(
    fc.property(table, (rows) => {
      // a first row of plain cells tells the delimiter
      const whole = [rows[0]?.map((_, i) => `c${i}`) ?? [], ...rows];
      for (const delimiter of [",", ";", "\t"]) {
        const read = parseCsv(formatCsv(whole, delimiter));
        deepStrictEqual([read.rows, read.delimiter], [whole, delimiter]);
      }
    }),
    { numRuns: 300, seed: 19 },
  );
});

Deno.test("parseCsv() reads a cell of a million characters, whole or without its end", () => {
  const long = "x".repeat(1_000_000) + '""'.repeat(100_000);
  deepStrictEqual(parseCsv(`"${long}",b`).rows[0]?.[0]?.length, 1_100_000);
  throws(() => parseCsv(`a,b\n"${long},b`), { name: "RangeError" });
});
