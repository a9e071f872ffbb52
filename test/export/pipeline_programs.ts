/**
 * Test programs that run a model folder with transformers.js in Deno, in Node.js and in a browser.
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

/** Output of every program: one embedding per text, and the logits of the topics. */
export type PipelineAnswer = {
  readonly embeddings: readonly (readonly number[])[];
  /** Sentence embeddings from the graph's own output, which is already pooled. */
  readonly sentences: readonly (readonly number[])[];
  readonly topics: readonly (readonly number[])[];
  /** Last token id of the text that is too long. */
  readonly lastOfCut: number;
};

/** Input of the programs. */
export type PipelineInput = {
  readonly texts: readonly string[];
  /** Name of the graph's output with the logits of the topics. */
  readonly topics: string;
  /** Text longer than the model's maximum length. */
  readonly tooLong: string;
};

/** Body of each program; `folder` and the fields of the input are defined before it. */
const BODY = `
const extract = await pipeline("feature-extraction", folder, { dtype: "fp32" });
const found = await extract(texts, { pooling: "mean", normalize: true });
const model = await AutoModel.from_pretrained(folder, { dtype: "fp32" });
const tokenizer = await AutoTokenizer.from_pretrained(folder);
const outputs = await model(tokenizer(texts, { padding: true, truncation: true }));
const answer = {
  embeddings: found.tolist(),
  sentences: outputs.sentence_embedding.tolist(),
  topics: outputs[topics].tolist(),
  lastOfCut: Number(tokenizer([tooLong], { truncation: true }).input_ids.tolist()[0].at(-1)),
};`;

const IMPORT =
  `import { AutoModel, AutoTokenizer, env, pipeline } from "@huggingface/transformers";`;

/** Program for Deno and Node.js: reads `folder` from disk and prints its answer. */
export function printProgram(folder: string, input: PipelineInput): string {
  return `${IMPORT}
const { folder, texts, topics, tooLong } = ${JSON.stringify({ folder, ...input })};
env.allowRemoteModels = false;
${BODY}
console.log(JSON.stringify(answer));`;
}

const ROOT = join(import.meta.dirname ?? "", "../..");

/** Base name of the ONNX Runtime files that transformers.js uses. */
const RUNTIME = "ort-wasm-simd-threaded.asyncify";

/**
 * Program for a browser: a module that loads the model from `model/` relative to the page and sets `window.outcome`,
 * together with the ONNX Runtime files that it requests, by name.
 */
export async function bundleProgram(
  input: PipelineInput,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const program = `${IMPORT}
const { folder, texts, topics, tooLong } = ${JSON.stringify({ folder: "model", ...input })};
env.allowRemoteModels = false;
env.allowLocalModels = true;
// with an absolute URL the pipeline does not find the tokenizer
env.localModelPath = new URL("./", location.href).pathname;
env.backends.onnx.wasm.wasmPaths = env.localModelPath;
env.backends.onnx.wasm.numThreads = 1; // more need a page that is isolated from others
try {
${BODY}
  window.outcome = { answer };
} catch (error) {
  window.outcome = { error: String(error) };
}`;
  try {
    const { outputFiles } = await esbuild.build({
      stdin: { contents: program, resolveDir: ROOT, loader: "js" },
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      write: false,
      logLevel: "silent",
    });
    const files = new Map([["page.js", outputFiles[0]?.contents ?? new Uint8Array()]]);
    const runtime = dirname(fileURLToPath(import.meta.resolve("@huggingface/transformers")));
    for (const name of [`${RUNTIME}.mjs`, `${RUNTIME}.wasm`]) {
      const path = join(runtime, "../../../onnxruntime-web/dist", name);
      files.set(name, await Deno.readFile(path));
    }
    return files;
  } finally {
    await esbuild.stop(); // its process would keep ours alive
  }
}
