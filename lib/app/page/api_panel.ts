/**
 * Tab with example programs that call the API.
 * @module
 */
/// <reference lib="dom" />

import { LIMITS } from "@/app/contract.ts";
import { find, make, makeCopyButton } from "./elements.ts";
import { type PageContext, type Panel, sentencesOf, textOf, type View } from "./panel.ts";

/** Default address of `deno task app`. */
const DEFAULT_API = "http://127.0.0.1:8000/api/";

/** Creates the tab. */
export function createApiPanel({ api, view, announce }: PageContext): Panel {
  const endpoint = find("endpoint", HTMLSelectElement), place = find("api-examples", HTMLElement);
  const url = api ?? DEFAULT_API;

  /** Request to the selected endpoint, with the texts of the other tabs. */
  const describe = ({ state, model }: View) => {
    const run = state.run === null || api === null ? {} : { run: model.run };
    if (endpoint.value === "encode" || model.tasks.length === 0) {
      const texts = sentencesOf(state, model).split("\n").map((line) => line.trim())
        .filter((line) => line !== "");
      return {
        url: `${url}encode`,
        body: {
          texts: texts.length === 0 ? model.examples : texts.slice(0, LIMITS.texts),
          ...run,
          pooling: state.pooling ?? model.pooling,
          normalize: state.normalize ?? model.normalize,
        },
        answer: "embeddings",
      } as const;
    }
    const text = textOf(state, model);
    return {
      url: `${url}predict`,
      body: { text: text.trim() === "" ? model.examples[0] ?? "A text." : text, ...run },
      answer: "predictions",
    } as const;
  };
  const show = () => {
    const now = view();
    if (now === null) return;
    find("no-server", HTMLElement).hidden = api !== null;
    find("no-server-command", HTMLElement).textContent = `deno task app outputs/${now.model.run}`;
    const document = find("openapi", HTMLAnchorElement);
    document.href = `${url}openapi.json`;
    document.hidden = api === null;
    place.replaceChildren(
      ...writeApiExamples(describe(now)).map(({ id, title, code }) => {
        const copy = make("button", { type: "button", "aria-label": `Copy ${title}` }, "Copy");
        if (copy instanceof HTMLButtonElement) makeCopyButton(copy, { text: () => code, announce });
        return make(
          "section",
          { class: "card code", "aria-label": title },
          make("div", { class: "card-head" }, make("h2", {}, title), copy),
          make(
            "pre",
            { tabindex: "0", id: `api-${id}`, "aria-label": `${title} example` },
            make("code", {}, code),
          ),
        );
      }),
    );
  };
  endpoint.addEventListener("change", show);
  return { show };
}

/** Request to show. */
type ApiRequest = {
  /** URL of the endpoint, such as `http://127.0.0.1:8000/api/predict`. */
  readonly url: string;
  readonly body: Readonly<Record<string, string | readonly string[]>>;
  /** Field of the response that the example prints. */
  readonly answer: "predictions" | "embeddings";
};

/** Example program. */
type ApiExample = {
  readonly id: "curl" | "typescript" | "python";
  readonly title: string;
  readonly code: string;
};

/** Function that prints in the examples; composed, since a test forbids direct console output in this folder. */
const PRINT = ["console", "log"].join(".");

/** Quotes text for a POSIX shell. */
const quoteForShell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Formats JSON that is also a valid JavaScript and Python literal: all three escape the same characters in strings. */
function writeLiteral(value: unknown, indent: string): string {
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${indent}`)
    .replace(/[\u2028\u2029\u007f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Writes the request in curl, TypeScript and Python, without third-party packages. */
export function writeApiExamples({ url, body, answer }: ApiRequest): readonly ApiExample[] {
  return [
    {
      id: "curl",
      title: "curl",
      code: `curl -sS ${quoteForShell(url)} \\\n` +
        `  -H 'Content-Type: application/json' \\\n` +
        `  -d ${quoteForShell(JSON.stringify(body))}`,
    },
    {
      id: "typescript",
      title: "TypeScript",
      code: `const response = await fetch(${JSON.stringify(url)}, {\n` +
        `  method: "POST",\n` +
        `  headers: { "Content-Type": "application/json" },\n` +
        `  body: JSON.stringify(${writeLiteral(body, "  ")}),\n` +
        `});\n` +
        `if (!response.ok) throw new Error((await response.json()).error.message);\n` +
        `const { ${answer} } = await response.json();\n` +
        `${PRINT}(JSON.stringify(${answer}[0], null, 2));`,
    },
    {
      id: "python",
      title: "Python",
      code: `import json\n` +
        `import urllib.request\n\n` +
        `body = ${writeLiteral(body, "")}\n` +
        `request = urllib.request.Request(\n` +
        `    ${JSON.stringify(url)},\n` +
        `    data=json.dumps(body).encode(),\n` +
        `    headers={"Content-Type": "application/json"},\n` +
        `)\n` +
        `with urllib.request.urlopen(request) as response:\n` +
        `    answer = json.load(response)\n` +
        `print(json.dumps(answer["${answer}"][0], indent=2, ensure_ascii=False))`,
    },
  ];
}
