/**
 * Opens Chromium with playwright-core for tests of the page; all tests share one browser.
 * @module
 */
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { isFile } from "@/system/files.ts";

/** Timeout of a single action, long enough for a busy machine. */
const TIMEOUT_MS = 120_000;

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Path of the browser: the environment variable `CHROMIUM`, else the system's, else playwright-core's; null if there is none. */
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

/** Open page, with the problems that occurred in it. */
export type OpenedPage = {
  readonly page: Page;
  /** Errors of scripts, of the console and of the content security policy, in order. */
  readonly problems: readonly string[];
  /** Requested URLs, in order. */
  readonly requests: readonly string[];
};

/** Options of {@link withPage}. */
export type PageOptions = {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
};

/** Runs `test` with a page at `address`, in a separate browser context. */
export async function withPage(
  browser: Browser,
  address: string,
  test: (opened: OpenedPage) => Promise<void>,
  { width = 1000, colorScheme = "light" }: PageOptions = {},
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme,
    reducedMotion: "reduce", // animations would disturb measurements
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
