import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { NamedList, pickRow } from "@/notebook/named_list.ts";

Deno.test("NamedList.get() throws with the names that exist", () => {
  const runs = new NamedList("run", [["mean", 1], ["max", 2]]);
  strictEqual(runs.get("max"), 2);
  deepStrictEqual([...runs], [1, 2]);
  deepStrictEqual(runs.map((run) => 10 * run), [10, 20]);
  throws(() => runs.get("maxx"), {
    name: "RangeError",
    message: "there is no run maxx (did you mean max?)",
  });
  throws(() => new NamedList("run", []).get("max"), {
    message: "there is no run max: there are none",
  });
});

Deno.test("pickRow() throws unless exactly one row has the values", () => {
  const rows = [
    { task: "topics", pooling: "mean", value: 1 },
    { task: "topics", pooling: "max", value: 2 },
  ];
  strictEqual(pickRow(rows, { pooling: "max" }).value, 2);
  strictEqual(pickRow(rows, { task: "topics", pooling: "mean" }).value, 1);
  throws(() => pickRow(rows, { pooling: "cls" }), {
    name: "RangeError",
    message: "No row has pooling cls; the rows have: pooling mean; pooling max",
  });
  throws(() => pickRow(rows, { task: "topics" }), {
    message: "2 rows have task topics; the rows have: task topics; task topics",
  });
});
