/**
 * The browser that tests of the page drive: Chromium by playwright-core, in all tests one.
 * @module
 */
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { isFile } from "@/files.ts";

/** Longest that a page may take for one thing, on a machine that has much else to do. */
const TIMEOUT_MS = 120_000;

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The browser that `CHROMIUM` names, else the system's, else playwright-core's own; null: none. */
export async function findChromium(): Promise<string | null> {
  const named = Deno.env.get("CHROMIUM");
  if (named) return named;
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of NAMES) {
      const path = join(folder, name);
      if (await isFile(path)) return path;
    }
  }
  const own = chromium.executablePath();
  return own !== "" && await isFile(own) ? own : null;
}

/** Runs `test` with a browser, which is closed afterwards. */
export async function withBrowser(
  executablePath: string,
  test: (browser: Browser) => Promise<void>,
): Promise<void> {
  const browser = await chromium.launch({ executablePath });
  try {
    await test(browser);
  } finally {
    await browser.close();
  }
}

/** A page that was opened, and what went wrong in it. */
export type OpenedPage = {
  readonly page: Page;
  /** Errors of scripts, of the console and of the policy, as they come. */
  readonly problems: readonly string[];
  /** Addresses that were asked for, as they come. */
  readonly requests: readonly string[];
};

/** How a page is opened. */
export type PageOptions = {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
};

/** Runs `test` on a page at `address` in a context of its own. */
export async function withPage(
  browser: Browser,
  address: string,
  test: (opened: OpenedPage) => Promise<void>,
  { width = 1000, colorScheme = "light" }: PageOptions = {},
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme,
    reducedMotion: "reduce", // what is measured must not be on its way
  });
  context.setDefaultTimeout(TIMEOUT_MS);
  const problems: string[] = [], requests: string[] = [];
  try {
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    context.on("request", (request) => requests.push(request.url()));
    await page.goto(address);
    await test({ page, problems, requests });
  } finally {
    await context.close();
  }
}
