import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import { embed } from "@/model/multi_task.ts";
import { TEXTS, withSavedModel } from "./saved_model.ts";

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - (b[i] ?? NaN))));

Deno.test("createSentenceEncoder() matches the model on a single unpadded text", async () => {
  await withSavedModel([0, 0, 0], async (saved) => {
    const { model, tokenizer, maxLength } = saved;
    for (const pooling of POOLING_MODES) {
      for (const normalize of NORMALIZE_MODES) {
        const { encode } = createSentenceEncoder(saved, { pooling, normalize, rows: 4 });
        const before = tf.memory().numTensors;
        const found = await encode(TEXTS);
        strictEqual(tf.memory().numTensors, before, "tensors left behind");
        strictEqual(found.length, TEXTS.length);
        for (const [i, text] of TEXTS.entries()) {
          const tokens = tokenizer.encodeText(text).subarray(0, maxLength - 2);
          const ids = [tokenizer.ids.cls, ...tokens, tokenizer.ids.sep];
          const alone = tf.tidy(() =>
            embed({ ...model, pooling, normalize }, {
              ids: tf.tensor2d([ids], [1, ids.length], "int32"),
              mask: tf.ones([1, ids.length], "int32"),
            })
          );
          const wanted = await alone.data();
          alone.dispose();
          ok(largest(wanted, found[i] ?? []) < 1e-5, `${pooling} ${normalize} "${text}"`);
        }
      }
    }
  });
});

Deno.test("createSentenceEncoder() keeps the input order and uses the model's settings", async () => {
  await withSavedModel([0, 0, 0], async (saved) => {
    const { encode } = createSentenceEncoder(saved);
    const forward = await encode(TEXTS), backward = await encode(TEXTS.toReversed());
    for (const [i, vector] of backward.toReversed().entries()) {
      ok(largest(vector, forward[i] ?? []) < 1e-6);
      const length = Math.hypot(...vector); // the model normalizes by L2
      ok(Math.abs(length - 1) < 1e-5, `${length}`);
    }
    ok(largest(forward[0] ?? [], forward[2] ?? []) > 1e-3, "the premise: texts differ");
    deepStrictEqual(await encode([]), []);
  });
});

Deno.test("createSentenceEncoder() encodes many texts as it encodes each alone, and tokenizes ahead", async () => {
  await withSavedModel([0, 0, 0], async (saved) => {
    // with batches of 2, 19 texts are tokenized in two groups of 16 and 3; short and long texts alternate
    const texts = Array.from(
      { length: 19 },
      (_, i) => "A bank in Rome. ".repeat(1 + i * 7 % 5) + i,
    );
    let tokenizedWhileRunning = 0, running = false;
    const tokenizer: typeof saved.tokenizer = {
      ...saved.tokenizer,
      encodeText(text) {
        if (running) tokenizedWhileRunning++;
        return saved.tokenizer.encodeText(text);
      },
    };
    const { encode } = createSentenceEncoder({ ...saved, tokenizer }, { rows: 2 });
    const first = encode(texts);
    running = true; // encode() tokenizes the first group before it first awaits
    const found = await first;
    strictEqual(tokenizedWhileRunning, 3);
    for (const [i, text] of texts.entries()) {
      const [alone = []] = await encode([text]);
      ok(largest(alone, found[i] ?? []) < 1e-6, `text ${i}`);
    }
  });
});

Deno.test("createSentenceEncoder() refuses pooling cls if the model has no pooler", async () => {
  await withSavedModel([0, 0, 0], (saved) => {
    const encoder = { ...saved.model.encoder, pooler: null };
    throws(
      () =>
        createSentenceEncoder({ ...saved, model: { ...saved.model, encoder } }, { pooling: "cls" }),
      {
        name: "RangeError",
        message:
          'Cannot encode with pooling "cls": the model has no pooler; choose mean, cls-token or max',
      },
    );
    return Promise.resolve();
  });
});
