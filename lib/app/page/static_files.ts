/**
 * Files of the static page, and functions that fetch them.
 * @module
 */
import type { ModelInfo } from "@/app/contract.ts";

/** File names; all files are in the same folder. */
export const STATIC_FILES = {
  page: "index.html",
  style: "page.css",
  script: "page.js",
  worker: "worker.js",
  /** Facts about the model and its files, as {@link StaticModel}. */
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
  /** Sizes of the large files. */
  readonly bytes: { readonly graph: number; readonly runtime: number };
};

/** Options of {@link fetchFile}. */
type FetchOptions = {
  /** Expected size in bytes; any size if omitted. */
  readonly bytes?: number;
  /** Cancels the download. */
  readonly signal?: AbortSignal;
  /** Called with the size of each downloaded chunk. */
  readonly onBytes?: (count: number) => void;
};

/** Downloads a file from the page's folder. Errors say what a visitor or the owner of the page can do. */
export async function fetchFile(
  name: string,
  { bytes, signal, onBytes = () => {} }: FetchOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  try {
    const response = await fetch(name, signal ? { signal } : {});
    if (!response.ok) throw new RangeError(`the server responded with status ${response.status}`);
    for await (const part of response.body ?? []) {
      parts.push(part);
      onBytes(part.length);
    }
  } catch (error) {
    const reason = error instanceof RangeError ? error.message : "the connection failed";
    throw new Error(`Cannot load ${name}: ${reason}; reload the page to try again`);
  }
  const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
  if (bytes === undefined || whole.length === bytes) return whole;
  throw new Error(
    `Cannot load ${name}: it has ${whole.length} bytes instead of ${bytes}; ` +
      "upload the page's folder to its server again",
  );
}

/** Downloads a JSON file from the page's folder. */
export async function fetchJson(name: string): Promise<unknown> {
  const text = new TextDecoder().decode(await fetchFile(name));
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(
      `Cannot load ${name}: it is not valid JSON; upload the page's folder to its server again`,
    );
  }
}
