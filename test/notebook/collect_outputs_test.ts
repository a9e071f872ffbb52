import { deepStrictEqual } from "node:assert/strict";
import { createCollector } from "@/notebook/collect_outputs.ts";

Deno.test("createCollector() keeps an error last, though what was printed before comes after it", () => {
  const collector = createCollector();
  collector.begin(1);
  collector.take("stream", { name: "stdout", text: "so\n" });
  collector.take("error", { ename: "RangeError", evalue: "too far", traceback: [] });
  collector.take("stream", { name: "stdout", text: "far\n" });
  collector.take("display_data", { data: { "text/plain": "shown" }, metadata: {} });
  deepStrictEqual(collector.outputs(1), [
    { output_type: "stream", name: "stdout", text: ["so\n", "far\n"] },
    { output_type: "display_data", data: { "text/plain": ["shown"] }, metadata: {} },
    { output_type: "error", ename: "RangeError", evalue: "too far", traceback: [] },
  ]);
});
