import { strictEqual } from "node:assert/strict";
import { describeReading } from "@/app/page/read_panel.ts";

Deno.test("describeReading() keeps percentages next to right-to-left labels", () => {
  const label = (name: string) => ({ label: name, probability: 0.905, probabilities: {} });
  const describe = (name: string) =>
    describeReading({ text: "", labels: { mood: label(name) }, entities: { names: [] } }, 12.34);
  strictEqual(describe("good"), "mood: good 90.5 %, names: no entities · 12.3 ms");
  strictEqual(describe("טוב"), "mood: \u2068טוב\u2069 90.5 %, names: no entities · 12.3 ms");
});
