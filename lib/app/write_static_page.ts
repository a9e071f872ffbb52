/**
 * Writes the demo page as a folder for any static host. It contains the page, the model, the tokenizer, the report and
 * ONNX Runtime's WebAssembly, linked by relative file names.
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { explainWriteError, isFile, readBytes, writeFileAtomic } from "@/system/files.ts";
import { describeModel } from "./model_service.ts";
import type { DemoRun } from "./open_demo_run.ts";
import { STATIC_FILES, type StaticModel } from "./page/static_files.ts";
import { bundlePage, readPageSource } from "./page_files.ts";
import { addPolicy, STATIC_PAGE_POLICY, STATIC_REPORT_POLICY } from "./policies.ts";

/** Content of a static page. */
type StaticRun = Pick<DemoRun, "model" | "facts" | "report" | "card">;

/** Shown until the page's script runs. */
const LOADING =
  "Loading. Browsers do not run this page from a local file: open it through a web server.";

/** Throws if a folder contains anything but an earlier page. */
async function checkTarget(out: string): Promise<void> {
  try {
    for await (const _ of Deno.readDir(out)) {
      if (await isFile(join(out, STATIC_FILES.worker))) return;
      throw new Deno.errors.AlreadyExists(
        `Cannot write the page: ${out} contains other files; choose a new or empty folder, or one with an earlier page`,
      );
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
}

async function writeFiles(
  folder: string,
  { model, facts, report, card }: StaticRun,
): Promise<void> {
  const put = (name: string, content: string | Uint8Array) =>
    writeFileAtomic(join(folder, name), content);
  const runtime = await readBytes(
    fileURLToPath(import.meta.resolve(`onnxruntime-web/${STATIC_FILES.runtime}`)),
    "WebAssembly of onnxruntime-web",
  );
  const graph = await model.writeGraph(join(folder, STATIC_FILES.graph));
  const content: StaticModel = {
    info: describeModel(model, facts),
    bytes: { graph, runtime: runtime.length },
  };
  const html = (await readPageSource("page.html"))
    .replace(/(<p id="status"[^>]*>)/, `$1${LOADING}`);
  await put(STATIC_FILES.page, addPolicy(html, STATIC_PAGE_POLICY));
  await put(STATIC_FILES.style, await readPageSource("page.css"));
  await put(STATIC_FILES.script, await bundlePage("static_page"));
  await put(STATIC_FILES.worker, await bundlePage("static_worker"));
  await put(STATIC_FILES.model, JSON.stringify(content));
  await put(STATIC_FILES.tokenizer, JSON.stringify(model.tokenizer.json));
  await put(STATIC_FILES.tokenizerConfig, JSON.stringify(model.tokenizer.config));
  await put(STATIC_FILES.runtime, runtime);
  if (report !== null) await put(STATIC_FILES.report, addPolicy(report, STATIC_REPORT_POLICY));
  if (card !== null) await put(STATIC_FILES.card, addPolicy(card, STATIC_REPORT_POLICY));
}

/** Files of `folder` with their sizes, sorted by name. */
async function listFiles(folder: string): Promise<readonly { name: string; bytes: number }[]> {
  const files: { name: string; bytes: number }[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    files.push({ name, bytes: (await Deno.stat(join(folder, name))).size });
  }
  return files.sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * Writes the page of a run into the folder `target`, either completely or not at all, and returns its files. An
 * earlier page in that folder is replaced.
 *
 * The graph has eight-bit weights and one output per pooling mode. A run that only contains an exported graph
 * uses that graph unchanged.
 */
export async function writeStaticPage(
  run: StaticRun,
  target: string,
): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  const out = resolve(target);
  await checkTarget(target);
  await Deno.mkdir(dirname(out), { recursive: true });
  const temporary = await Deno.makeTempDir({ dir: dirname(out), prefix: ".page-" });
  try {
    await writeFiles(temporary, run);
    await Deno.chmod(temporary, 0o755); // temporary folders are private by default
    const files = await listFiles(temporary);
    await Deno.remove(out, { recursive: true }).catch(() => {});
    await Deno.rename(temporary, out);
    return files;
  } catch (error) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    throw explainWriteError(target, error);
  }
}
