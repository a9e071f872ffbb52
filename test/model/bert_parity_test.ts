// Parity with PyTorch 2.13 and transformers 4.57.1, recorded by test/parity/bert_parity.py. Tolerances:
// values 1e-5, loss 1e-6 relative, gradients ‖g − r‖ ≤ 1e-4 · max(‖r‖, 1e-6 · ‖all r‖).
import { ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { runEncoder } from "@/model/bert.ts";
import { embed, runTask } from "@/model/multi_task.ts";
import { disposeModel, type MultiTask, namedParameters } from "@/model/parameters.ts";
import { openSafetensors } from "@/model/safetensors.ts";
import { crossEntropy } from "@/train/losses.ts";
import { testOnBackends } from "../backend.ts";
import { FOLDER, loadFixtureModel, readExpected, readInputs } from "./bert_fixture.ts";

/** √Σx² */
function norm(values: Iterable<number>): number {
  return Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));
}

/** Fails unless every value is within `tolerance`. */
function requireClose(
  actual: tf.Tensor,
  expected: Float32Array,
  tolerance: number,
  what: string,
): void {
  const values = actual.dataSync();
  strictEqual(values.length, expected.length, what);
  const worst = expected.reduce(
    (most, e, i) => Math.max(most, Math.abs(e - (values[i] ?? NaN))),
    0,
  );
  ok(worst <= tolerance, `${what}: off by ${worst}`);
}

/** Computes the loss, and the gradients by parameter name. A parameter that does not affect the loss has none. */
function differentiate(model: MultiTask, loss: () => tf.Scalar) {
  const parameters = namedParameters(model);
  const { value, grads } = tf.variableGrads(loss, parameters.map(({ variable }) => variable));
  const gradients = new Map<string, tf.Tensor>();
  for (const { name, variable } of parameters) {
    const gradient = grads[variable.name];
    if (gradient !== undefined) gradients.set(name, gradient);
  }
  return { value, gradients };
}

/** Compares a gradient with the recorded one; `all` is the norm of all recorded gradients together. */
function requireGradient(actual: tf.Tensor, expected: Float32Array, all: number, what: string) {
  const values = actual.dataSync();
  strictEqual(values.length, expected.length, what);
  const off = norm(expected.map((e, i) => e - (values[i] ?? NaN)));
  const bound = 1e-4 * Math.max(norm(expected), 1e-6 * all);
  ok(off <= bound, `gradient of ${what}: off by ${off}, bound ${bound}`);
}

Deno.test("the parity fixture records the versions that created it", async () => {
  using file = await openSafetensors(`${FOLDER}/expected.safetensors`);
  strictEqual(file.metadata.torch, "2.13.0+cpu");
  strictEqual(file.metadata.transformers, "4.57.1");
});

testOnBackends("runEncoder() matches the hidden states of BertModel", async () => {
  const expected = await readExpected();
  const inputs = await readInputs();
  const model = await loadFixtureModel({ pooling: "mean", normalize: "none", projected: false });
  tf.tidy(() =>
    requireClose(runEncoder(model.encoder, inputs), expected("hidden"), 1e-5, "hidden")
  );
  disposeModel(model);
  tf.dispose(inputs);
});

for (const pooling of POOLING_MODES) {
  for (const normalize of NORMALIZE_MODES) {
    for (const projected of [false, true]) {
      const head = projected ? "projected" : "plain";
      const at = `${pooling}.${normalize}.${head}`;
      testOnBackends(`embed() and runTask() match PyTorch: ${at}`, async () => {
        const expected = await readExpected();
        const inputs = await readInputs();
        const model = await loadFixtureModel({ pooling, normalize, projected });
        tf.tidy(() => {
          requireClose(embed(model, inputs), expected(`${at}.embedding`), 1e-5, "embedding");
          requireClose(runTask(model, head, inputs), expected(`${at}.logits`), 1e-5, "logits");
          const { value, gradients } = differentiate(
            model,
            () => crossEntropy(runTask(model, head, inputs), inputs.topics),
          );
          const loss = expected(`${at}.loss`);
          requireClose(value, loss, 1e-6 * (loss[0] ?? 0), "loss");
          if (!projected) return; // only recorded with a projection
          const names = [
            "projection.dense.weight",
            "projection.dense.bias",
            "embeddings.LayerNorm.weight",
            "embeddings.LayerNorm.bias",
            "encoder.layer.1.output.LayerNorm.weight",
            "encoder.layer.1.output.LayerNorm.bias",
            "heads.projected.norm.weight",
            "heads.projected.norm.bias",
            ...(pooling === "cls" ? ["pooler.dense.bias"] : []),
          ];
          const recorded = names.map((name) => expected(`${at}.gradient.${name}`));
          const all = norm(recorded.flatMap((values) => [...values]));
          for (const [i, name] of names.entries()) {
            const gradient = gradients.get(name);
            ok(gradient !== undefined, `no gradient of ${name}`);
            requireGradient(gradient, recorded[i] ?? new Float32Array(), all, name);
          }
        });
        disposeModel(model);
        tf.dispose(inputs);
      });
    }
  }
}

testOnBackends("gradients of both tasks' losses match PyTorch for every parameter", async () => {
  const expected = await readExpected();
  const inputs = await readInputs();
  const model = await loadFixtureModel({ pooling: "cls", normalize: "l1", projected: true });
  tf.tidy(() => {
    const logits = runTask(model, "tags", inputs);
    requireClose(logits, expected("tags.logits"), 1e-5, "tag logits");
    const tagLoss = expected("tags.loss")[0] ?? NaN;
    const topicLoss = expected("cls.l1.projected.loss")[0] ?? NaN;
    const { value, gradients } = differentiate(model, () =>
      tf.add(
        crossEntropy(runTask(model, "projected", inputs), inputs.topics),
        crossEntropy(runTask(model, "tags", inputs), inputs.tags),
      ));
    const sum = tagLoss + topicLoss;
    requireClose(value, Float32Array.of(sum), 1e-6 * sum, "sum of losses");
    const parameters = namedParameters(model);
    strictEqual(gradients.size, parameters.length); // every parameter affects this loss
    const all = norm(parameters.flatMap(({ name }) => [...expected(`both.gradient.${name}`)]));
    for (const { name } of parameters) {
      const gradient = gradients.get(name);
      ok(gradient !== undefined, `no gradient of ${name}`);
      const recorded = expected(`both.gradient.${name}`);
      if (!name.endsWith("key.bias")) requireGradient(gradient, recorded, all, name);
      else {
        // The bias of a key shifts all scores of a row equally, which softmax ignores. Its gradient is therefore zero, and
        // both sides contain only rounding errors of float32 (2^-24 is 6e-8).
        ok(norm(gradient.dataSync()) <= 6e-8 * all, `gradient of ${name} must vanish`);
        ok(norm(recorded) <= 6e-8 * all, `recorded gradient of ${name} must vanish`);
      }
    }
  });
  disposeModel(model);
  tf.dispose(inputs);
});
