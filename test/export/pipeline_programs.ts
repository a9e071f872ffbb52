/**
 * The program of somebody who has transformers.js and a model's folder, as it is run in Deno, in Node.js and
 * in a browser.
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

/** What every program prints: an embedding a text, and the topics' scores. */
export type PipelineAnswer = {
  readonly embeddings: readonly (readonly number[])[];
  /** Of the graph's own output, which needs no pooling by the reader. */
  readonly sentences: readonly (readonly number[])[];
  readonly topics: readonly (readonly number[])[];
  /** The last piece of the text that is too long. */
  readonly lastOfCut: number;
};

/** What is asked. */
export type PipelineQuestion = {
  readonly texts: readonly string[];
  /** The output with the topics' scores. */
  readonly topics: string;
  /** A text beyond the model's limit. */
  readonly tooLong: string;
};

/** The body of each program; `folder` and the names of a question stand before it. */
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

/** For Deno and Node.js: `folder` on disk, the answer on standard output. */
export function printProgram(folder: string, question: PipelineQuestion): string {
  return `${IMPORT}
const { folder, texts, topics, tooLong } = ${JSON.stringify({ folder, ...question })};
env.allowRemoteModels = false;
${BODY}
console.log(JSON.stringify(answer));`;
}

const ROOT = join(import.meta.dirname ?? "", "../..");

/** ONNX Runtime's files as transformers.js' own release of it has them. */
const RUNTIME = "ort-wasm-simd-threaded.asyncify";

/**
 * For a browser: a module that takes the model from `model/` beside the page and leaves `window.outcome`, and
 * the files of ONNX Runtime that it asks for, by their names.
 */
export async function bundleProgram(
  question: PipelineQuestion,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const program = `${IMPORT}
const { folder, texts, topics, tooLong } = ${JSON.stringify({ folder: "model", ...question })};
env.allowRemoteModels = false;
env.allowLocalModels = true;
// below a whole address the pipeline finds no tokenizer
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
