/**
 * The files of the static page, and how its worker fetches them.
 * @module
 */
import type { ModelInfo } from "@/app/contract.ts";

/** Names of files, beside one another in one folder. */
export const STATIC_FILES = {
  page: "index.html",
  style: "page.css",
  script: "page.js",
  worker: "worker.js",
  /** What is said of model and files, as {@link StaticModel}. */
  model: "model.json",
  tokenizer: "tokenizer.json",
  tokenizerConfig: "tokenizer_config.json",
  graph: "model.onnx",
  runtime: "ort-wasm-simd-threaded.wasm",
  report: "report.html",
  card: "card.html",
} as const;

/** The content of `model.json`. */
export type StaticModel = {
  readonly info: ModelInfo;
  /** Sizes of the files that are large. */
  readonly bytes: { readonly graph: number; readonly runtime: number };
};

/** How a file is fetched. */
export type FetchOptions = {
  /** What it must have; by default any. */
  readonly bytes?: number;
  /** Gives it up. */
  readonly signal?: AbortSignal;
  /** Told of each part. */
  readonly onBytes?: (count: number) => void;
};

/** The content of a file beside the page; an error says what a reader or the page's owner can do. */
export async function fetchFile(
  name: string,
  { bytes, signal, onBytes = () => {} }: FetchOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  try {
    const response = await fetch(name, signal ? { signal } : {});
    if (!response.ok) throw new RangeError(`the server answers ${response.status}`);
    for await (const part of response.body ?? []) {
      parts.push(part);
      onBytes(part.length);
    }
  } catch (error) {
    const reason = error instanceof RangeError ? error.message : "the connection failed";
    throw new Error(`Cannot load ${name} as ${reason}: reload the page to try again`);
  }
  const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
  if (bytes === undefined || whole.length === bytes) return whole;
  throw new Error(
    `Cannot load ${name} as it must have ${bytes} bytes: it has ${whole.length}; ` +
      "the page's folder must be put on its server whole",
  );
}

/** The JSON in a file beside the page. */
export async function fetchJson(name: string): Promise<unknown> {
  const text = new TextDecoder().decode(await fetchFile(name));
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(
      `Cannot load ${name} as it must be JSON: the page's folder must be put on its server whole`,
    );
  }
}
