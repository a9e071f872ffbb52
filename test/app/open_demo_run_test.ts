import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { chooseExamples, openDemoRun } from "@/app/open_demo_run.ts";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { textModelOf } from "@/eval/text_model.ts";
import { writeRun } from "../eval/saved_model.ts";
import { inFolder } from "../train/tiny_run.ts";

Deno.test("openDemoRun() reads examples, training data and card from the run's files", async () => {
  await inFolder(async (folder) => {
    const dir = join(folder, "my-run");
    await writeRun(dir, [0, 1, -1]);
    const read = async () => {
      const { model, ...run } = await openDemoRun(
        dir,
        async (folder) => textModelOf(await openSavedModel(folder)),
      );
      model[Symbol.dispose]();
      return run;
    };
    const write = (name: string, content: unknown) =>
      Deno.writeTextFile(join(dir, name), JSON.stringify(content));

    const bare = await read();
    deepStrictEqual(bare.facts, {
      run: "my-run",
      examples: chooseExamples([]),
      trainedOnSample: false,
    });
    deepStrictEqual([bare.report, bare.card], [null, null]);

    await write("config.json", { data: { dir: "sample" } });
    await write("examples.json", { texts: ["A test row.", " "] });
    await Deno.writeTextFile(
      join(dir, "model", "README.md"),
      "---\nlicense: mit\n---\n# My model\n\n<script>alert(1)</script> ![curve](curve.png)\n",
    );
    const full = await read();
    deepStrictEqual(full.facts, {
      run: "my-run",
      examples: ["A test row."],
      trainedOnSample: true,
    });
    match(full.card ?? "", /<h1[^>]*>My model<\/h1>/);
    ok(!/license: mit|<script|<img/.test(full.card ?? ""));

    await write("config.json", { data: { dir: "./sample" } }); // a folder of the user that is also called sample
    strictEqual((await read()).facts.trainedOnSample, false);
  });
});

Deno.test("chooseExamples() returns news for labels of news and entities, else everyday sentences", () => {
  const examples = (labels: readonly string[]) => chooseExamples([{ labels }])[0];
  strictEqual(examples(["World", "Sports"]), examples(["O", "B-PER", "I-PER"]));
  strictEqual(examples(["negative", "neutral", "positive"]), examples(["O", "B-DRUG"]));
  ok(examples(["World"]) !== examples(["negative"]));
});
