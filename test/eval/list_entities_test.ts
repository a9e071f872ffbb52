import { deepStrictEqual } from "node:assert/strict";
import { listEntities } from "@/eval/list_entities.ts";

Deno.test("listEntities() returns each entity with its words and its row", () => {
  const labels = ["O", "B-PER", "I-PER", "B-LOC"];
  const rows = [
    { tokens: ["Rain", "fell"], tags: [0, 0] },
    { text: "of another task", label: 0 },
    { tokens: ["Ada", "Lovelace", "left", "London"], tags: [1, 2, 0, 3] },
  ];
  deepStrictEqual(listEntities(rows, labels), [
    { type: "PER", text: "Ada Lovelace", words: 2, row: 2 },
    { type: "LOC", text: "London", words: 1, row: 2 },
  ]);
});
