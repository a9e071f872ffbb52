/**
 * The page's files, made from their sources when the server starts: TypeScript bundled for browsers, and
 * HTML and CSS as they are. Nothing is loaded from elsewhere.
 * @module
 */
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { readText } from "@/files.ts";

/** A file as it is served. */
export type PageFile = {
  /** Its media type. */
  readonly type: string;
  readonly body: string;
};

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A source of the page that is served as it is. */
export function readPageSource(name: string): Promise<string> {
  return readText(folder(`page/${name}`), "source of the page");
}

/** Code of the page as one module. */
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
    if (file === undefined) throw new TypeError("internal: esbuild gave no file");
    return file.text;
  } finally {
    await esbuild.stop(); // its process would keep ours alive
  }
}

/** The files of the page that asks a server, by path. */
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
