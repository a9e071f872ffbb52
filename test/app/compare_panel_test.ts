import { deepStrictEqual } from "node:assert/strict";
import { writeNumber } from "@/app/page/compare_panel.ts";

Deno.test("writeNumber() formats small and large numbers with three significant digits", () => {
  deepStrictEqual(
    [0, 1, 0.011, 0.01085, -0.5, 12.345, 999.4, 999.9, 12345.6, 1.234e-7].map(writeNumber),
    ["0", "1.00", "0.0110", "0.0109", "-0.500", "12.3", "999", "1,000", "12,346", "1.23e-7"],
  );
});
