import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { disposeModel } from "@/model/parameters.ts";
import { openBackend, testOnBackends } from "../backend.ts";

/** Folders saved by sentence-transformers 6.2.0 (test/parity/sentence_transformers_parity.py). */
const FIXTURES = join(import.meta.dirname ?? "", "../fixtures/sentence_transformers");

const FOLDERS = [
  { name: "max-l2", pooling: "max", size: 16 },
  { name: "cls-tanh-dense-l2", pooling: "cls", size: 5 },
] as const;

for (const { name, pooling, size } of FOLDERS) {
  testOnBackends(
    `a folder of sentence-transformers produces its embeddings to 1e-5: ${name}`,
    async () => {
      const folder = join(FIXTURES, name);
      const { texts, embeddings } = JSON.parse(
        await Deno.readTextFile(join(folder, "expected.json")),
      ) as { texts: string[]; embeddings: number[][] };
      const saved = await openSavedModel(folder);
      strictEqual(saved.maxLength, 12); // the longest text is truncated
      ok(texts.includes("") && texts.includes(" \t"), "blank texts have an embedding as well");
      strictEqual(saved.model.pooling, pooling);
      const vectors = await createSentenceEncoder(saved, { rows: 4 }).encode(texts);
      vectors.forEach((vector, text) => {
        strictEqual(vector.length, size);
        vector.forEach((value, i) => {
          ok(Math.abs(value - (embeddings[text]?.[i] ?? NaN)) < 1e-5, `text ${text}, column ${i}`);
        });
      });
      disposeModel(saved.model);
    },
    { backends: ["cpu", "onnx"] },
  );
}

Deno.test("an encoder in a subfolder, with only vocab.txt, produces the same embeddings", async () => {
  await openBackend("cpu");
  const folder = join(FIXTURES, "max-l2"), old = await Deno.makeTempDir();
  const own = join(old, "0_Transformer");
  await Deno.mkdir(own);
  for (const name of ["config.json", "model.safetensors"]) {
    await Deno.copyFile(join(folder, name), join(own, name));
  }
  const { model: { vocab } } = JSON.parse(
    await Deno.readTextFile(join(folder, "tokenizer.json")),
  ) as { model: { vocab: Record<string, number> } };
  const tokens = Object.keys(vocab).sort((a, b) => (vocab[a] ?? 0) - (vocab[b] ?? 0));
  await Deno.writeTextFile(join(own, "vocab.txt"), tokens.join("\n") + "\n");
  await Deno.writeTextFile(join(own, "sentence_bert_config.json"), '{ "max_seq_length": 12 }');
  await Deno.mkdir(join(old, "1_Pooling"));
  await Deno.copyFile(join(folder, "1_Pooling/config.json"), join(old, "1_Pooling/config.json"));
  const modules = ["0_Transformer", "1_Pooling", "2_Normalize"].map((path) => ({
    path,
    type: `sentence_transformers.models.${path.slice(2)}`,
  }));
  await Deno.writeTextFile(join(old, "modules.json"), JSON.stringify(modules));

  const { texts } = JSON.parse(await Deno.readTextFile(join(folder, "expected.json")));
  const encode = async (place: string) => {
    const saved = await openSavedModel(place);
    const vectors = await createSentenceEncoder(saved, { rows: 4 }).encode(texts);
    disposeModel(saved.model);
    return vectors.map((vector) => [...vector]);
  };
  deepStrictEqual(await encode(old), await encode(folder));
  await Deno.remove(old, { recursive: true });
});
