/**
 * Builds the page's files when the server starts: TypeScript is bundled for browsers, HTML and CSS are served
 * unchanged. The page loads nothing from other hosts.
 * @module
 */
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { readText } from "@/system/files.ts";

/** Served file. */
export type PageFile = {
  /** Media type. */
  readonly type: string;
  readonly body: string;
};

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Reads a source file of the page that is served unchanged. */
export function readPageSource(name: string): Promise<string> {
  return readText(folder(`page/${name}`), "source of the page");
}

/** Bundles an entry point of the page into one ES module. */
export async function bundlePage(entry: string): Promise<string> {
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints: [folder(`page/${entry}.ts`)],
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      minify: true,
      legalComments: "none",
      write: false,
      logLevel: "silent",
      alias: { "@": folder("..").replace(/\/$/, "") },
    });
    const [file] = outputFiles;
    if (file === undefined) throw new TypeError("internal: esbuild returned no file");
    return file.text;
  } finally {
    await esbuild.stop(); // its process would keep ours alive
  }
}

/** Builds the files of the served page, by path. */
export async function buildPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const [html, css, script] = await Promise.all([
    readPageSource("page.html"),
    readPageSource("page.css"),
    bundlePage("served_page"),
  ]);
  return new Map([
    ["/", { type: "text/html; charset=utf-8", body: html }],
    ["/page.css", { type: "text/css; charset=utf-8", body: css }],
    ["/page.js", { type: "text/javascript; charset=utf-8", body: script }],
  ]);
}
