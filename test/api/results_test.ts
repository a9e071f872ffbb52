/** Results of runs by name, read from the committed run folders. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { compare, figures, loadRun, loadRuns, Named, tables } from "@/api/library.ts";
import { inFolder } from "../train/tiny_run.ts";
import { writePredictions } from "@/eval/prediction_record.ts";

const RUN = join(import.meta.dirname ?? "", "../../outputs/minilm-float32");

Deno.test("Named throws with the names that exist", () => {
  const runs = new Named("run", { mean: 1, max: 2, none: undefined });
  strictEqual(runs.get("mean"), 1);
  strictEqual(runs.get("none"), undefined, "a name may have no value");
  deepStrictEqual([runs.names, runs.size, runs.has("cls")], [["mean", "max", "none"], 3, false]);
  deepStrictEqual([...runs], [["mean", 1], ["max", 2], ["none", undefined]]);
  throws(() => runs.get("mena"), {
    name: "RangeError",
    message: "there is no run mena (did you mean mean?)",
  });
  throws(() => runs.get("toString"), { message: "run toString is not one of mean, max, none" });
  throws(() => new Named("run", {}).get("x"), { message: "there is no run x: there are none" });
});

Deno.test("loadRun() returns scores by task and split, and throws with the names that exist", async () => {
  const { scores, record, dir } = await loadRun(RUN);
  strictEqual(dir, RUN);
  const { accuracy } = scores.classification("ag_news");
  deepStrictEqual(scores.main("ag_news"), { measure: "accuracy", value: accuracy });
  deepStrictEqual(scores.get("ag_news"), record.summary.scores.ag_news?.test);
  strictEqual(
    scores.entities("conll2003", "validation").f1,
    scores.main("conll2003", "validation").value,
  );
  throws(() => scores.get("agnews"), {
    message: "there is no task agnews (did you mean ag_news?)",
  });
  throws(
    () => scores.get("ag_news", "dev"),
    /^RangeError: split of ag_news dev is not one of .*test/,
  );
  throws(() => scores.entities("ag_news"), {
    name: "TypeError",
    message: 'ag_news is a classification task: read its scores with classification("ag_news")',
  });
  throws(() => scores.classification("conll2003"), /read its scores with entities\("conll2003"\)/);
  const runs = await loadRuns([RUN]);
  deepStrictEqual(runs.names, ["minilm-float32"]);
  throws(() => runs.get("mean"), { message: "run mean is not one of minilm-float32" });
});

Deno.test("figures() and tables() have the names of the report's", async () => {
  const drawn = await figures(RUN), written = await tables({ dir: RUN });
  for await (const { name } of Deno.readDir(join(RUN, "figures"))) {
    if (name.endsWith(".svg")) ok(drawn.has(name.replace(/\.svg$/, "")), name);
  }
  match(drawn.get("entities-conll2003").svg, /^<svg/);
  const report = await Deno.readTextFile(join(RUN, "report.md"));
  for (const [name, table] of written) ok(report.includes(table), name);
  ok(written.has("classes-ag_news") && written.has("types-conll2003") && written.has("data"));
  throws(() => drawn.get("loss"), { message: "there is no figure loss (did you mean losses?)" });
});

Deno.test("compare() returns a comparison by task, split and measure", async () => {
  await inFolder(async (root) => {
    const gold = [0, 1, 0, 1];
    for (const [name, predicted] of [["a", [0, 1, 1, 1]], ["b", gold]] as const) {
      const labels = ["x", "y"];
      await writePredictions(join(root, name), {
        ...{ task: "topics", split: "test", kind: "classification" as const, labels },
        ...{ gold, predicted, probability: [1, 1, 1, 1] },
      });
    }
    const compared = await compare(join(root, "a"), { dir: join(root, "b") }, { resamples: 50 });
    const { first, second, difference } = compared.get("topics");
    deepStrictEqual([first, second, difference], [0.75, 1, 0.25]); // 3 of 4, 4 of 4
    strictEqual(compared.get("topics", { measure: "macroF1" }).second, 1);
    throws(() => compared.get("topic"), {
      message: "there is no task topic (did you mean topics?)",
    });
    throws(() => compared.get("topics", { split: "dev" }), {
      message: "split of topics dev is not one of test",
    });
    throws(() => compared.get("topics", { measure: "f1" }), /one of accuracy, macroF1/);
  });
});
