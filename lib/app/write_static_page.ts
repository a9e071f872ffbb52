/**
 * The demo page as a folder for any static host: page, model, tokenizer, report and ONNX Runtime's
 * WebAssembly, in files that know one another by their names alone.
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SavedModel } from "@/eval/open_saved_model.ts";
import { explainWriteError, isFile, readBytes, writeFileAtomic } from "@/files.ts";
import { writeOnnxFile } from "@/model/save_onnx.ts";
import { describeModel, offeredPoolings } from "./model_service.ts";
import { STATIC_FILES, type StaticModel } from "./page/static_files.ts";
import { bundlePage, readPageSource } from "./page_files.ts";
import { addPolicy, STATIC_PAGE_POLICY, STATIC_REPORT_POLICY } from "./policies.ts";

/** What is shown and where it goes. */
export type StaticPageOptions = {
  /** The run's name. */
  readonly run: string;
  /** The run's report as a whole HTML page. */
  readonly report: string | null;
  /** The folder to write; one that holds an earlier page is replaced. */
  readonly out: string;
};

/** Said until the page's script runs. */
const LOADING =
  "Loading. A browser runs this page from a web server alone: it will not, opened as a file.";

/** Refuses a folder that holds anything but an earlier page. */
async function checkTarget(out: string): Promise<void> {
  try {
    for await (const _ of Deno.readDir(out)) {
      if (await isFile(join(out, STATIC_FILES.worker))) return;
      throw new Deno.errors.AlreadyExists(
        `Cannot write page as ${out} must be empty or hold an earlier page: it holds other files`,
      );
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
}

async function writeFiles(
  folder: string,
  saved: SavedModel,
  { run, report }: StaticPageOptions,
): Promise<void> {
  const put = (name: string, content: string | Uint8Array) =>
    writeFileAtomic(join(folder, name), content);
  const runtime = await readBytes(
    fileURLToPath(import.meta.resolve(`onnxruntime-web/${STATIC_FILES.runtime}`)),
    "WebAssembly of onnxruntime-web",
  );
  const graph = await writeOnnxFile(join(folder, STATIC_FILES.graph), saved.model, {
    dtype: "q8",
    poolings: offeredPoolings(saved),
  });
  const model: StaticModel = {
    info: describeModel(saved, run),
    bytes: { graph, runtime: runtime.length },
  };
  const html = (await readPageSource("page.html"))
    .replace(/(<p id="status"[^>]*>)/, `$1${LOADING}`);
  await put(STATIC_FILES.page, addPolicy(html, STATIC_PAGE_POLICY));
  await put(STATIC_FILES.style, await readPageSource("page.css"));
  await put(STATIC_FILES.script, await bundlePage("static_page"));
  await put(STATIC_FILES.worker, await bundlePage("static_worker"));
  await put(STATIC_FILES.model, JSON.stringify(model));
  await put(STATIC_FILES.tokenizer, JSON.stringify(saved.tokenizer.json));
  await put(STATIC_FILES.tokenizerConfig, JSON.stringify(saved.tokenizer.config));
  await put(STATIC_FILES.runtime, runtime);
  if (report !== null) await put(STATIC_FILES.report, addPolicy(report, STATIC_REPORT_POLICY));
}

/** The files of `folder` and their sizes, in order. */
async function listFiles(folder: string): Promise<readonly { name: string; bytes: number }[]> {
  const files: { name: string; bytes: number }[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    files.push({ name, bytes: (await Deno.stat(join(folder, name))).size });
  }
  return files.sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * Writes the page of a model, whole or not at all; gives its files.
 *
 * The graph holds the model's weights in eight bits, and has an output for each pooling.
 */
export async function writeStaticPage(
  saved: SavedModel,
  options: StaticPageOptions,
): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  const out = resolve(options.out);
  await checkTarget(options.out);
  await Deno.mkdir(dirname(out), { recursive: true });
  const beside = await Deno.makeTempDir({ dir: dirname(out), prefix: ".page-" });
  try {
    await writeFiles(beside, saved, options);
    await Deno.chmod(beside, 0o755); // a folder made for the moment is its maker's alone
    const files = await listFiles(beside);
    await Deno.remove(out, { recursive: true }).catch(() => {});
    await Deno.rename(beside, out);
    return files;
  } catch (error) {
    await Deno.remove(beside, { recursive: true }).catch(() => {});
    throw explainWriteError(options.out, error);
  }
}
