import { deepStrictEqual } from "node:assert/strict";
import { createCollector } from "@/notebook/run_notebook.ts";
import { DISPLAY } from "@/report/figures/figure.ts";
import { frameFigure } from "@/report/figures/frame.ts";

Deno.test("createCollector() keeps an error last if earlier output arrives after it", () => {
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

Deno.test("createCollector() adds size and alternative text of a figure, and nothing to other pictures", () => {
  const figure = frameFigure({ title: "t", alt: "a", plot: { height: 40, marks: [] } });
  const collector = createCollector();
  collector.begin(1);
  collector.take("execute_result", { data: figure[DISPLAY](), metadata: {} });
  const bare = "iVBORw0KGgo="; // only the PNG signature
  collector.take("display_data", { data: { "image/png": bare }, metadata: { kept: 1 } });
  const [shown, other] = collector.outputs(1).map((output) =>
    "metadata" in output ? output.metadata : null
  );
  const height = Number(/ height="(\d+)"/.exec(figure.svg)?.[1]);
  deepStrictEqual(shown, { "image/png": { width: 720, height, alt: "t. a" } });
  deepStrictEqual(other, { kept: 1 });
});
