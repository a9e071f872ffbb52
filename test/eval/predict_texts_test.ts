import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { createTextPredictor } from "@/eval/predict_examples.ts";
import { splitWords } from "@/split_words.ts";
import { TEXTS, withSavedModel } from "./saved_model.ts";

const near = (found: number | undefined, wanted: number, tolerance = 1e-6) =>
  ok(Math.abs((found ?? NaN) - wanted) <= tolerance, `${found} is not ${wanted}`);

Deno.test("createTextPredictor() returns the offsets of each entity in the raw text", async () => {
  // every word begins an entity: exp(1) / (exp(0) + exp(1) + exp(-1)) = 0.66524
  await withSavedModel([0, 1, -1], async (saved) => {
    const found = await createTextPredictor(saved).predict(TEXTS);
    deepStrictEqual(found.map(({ text }) => text), TEXTS);
    for (const { text, entities } of found) {
      const words = splitWords(text);
      deepStrictEqual(
        entities["tags"]?.map(({ type, text, start, end }) => ({ type, word: text, start, end })),
        words.map((word) => ({ type: "X", ...word })),
      );
      for (const { probability } of entities["tags"] ?? []) near(probability, 0.6652409557748218);
    }
  });
});

Deno.test("createTextPredictor() joins the words of an entity, even across windows", async () => {
  // every word is tagged I-; by conlleval's rules the first one begins the entity
  await withSavedModel([0, -1, 2], async (saved) => {
    const found = await createTextPredictor(saved).predict(TEXTS);
    deepStrictEqual(found.map(({ entities }) => entities["tags"]?.map(({ text }) => text)), [
      ["Ada Lovelace wrote to Babbage."],
      [],
      ["São Paulo, 1999: it's raining — again!"],
      [TEXTS[3]],
      ["yes"],
    ]);
    const long = saved.tokenizer.encodeText(TEXTS[3] ?? "").length;
    ok(long > saved.maxLength, "the premise: this text needs several windows");
  });
});

Deno.test("createTextPredictor() returns probabilities that sum to 1, for any batch", async () => {
  await withSavedModel([0, 1, 1], async (saved) => {
    const together = await createTextPredictor(saved, { rows: 8 }).predict(TEXTS);
    const alone = createTextPredictor(saved, { rows: 1 });
    for (const [i, text] of TEXTS.entries()) {
      const [found] = await alone.predict([text]);
      const { label, probability, probabilities } = together[i]?.labels["topic"] ?? {
        label: "",
        probability: NaN,
        probabilities: {},
      };
      deepStrictEqual(Object.keys(probabilities), ["a", "b", "c"]);
      near(Object.values(probabilities).reduce((sum, share) => sum + share, 0), 1);
      strictEqual(probability, Math.max(...Object.values(probabilities)));
      strictEqual(probabilities[label], probability);
      near(found?.labels["topic"]?.probability, probability, 1e-5);
    }
    const shares = together.map(({ labels }) => labels["topic"]?.probability);
    ok(new Set(shares).size > 1, "the premise: the model tells texts apart");
  });
});

Deno.test("createTextPredictor() refuses a model without tasks", async () => {
  await withSavedModel([0, 0, 0], (saved) => {
    throws(() => createTextPredictor({ ...saved, model: { ...saved.model, tasks: [] } }), {
      name: "RangeError",
      message: "Cannot predict: the model is an encoder without tasks",
    });
    return Promise.resolve();
  });
});
