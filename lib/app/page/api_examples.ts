/**
 * Example programs that call the API, in three languages, with the page's own address and current text.
 * @module
 */

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
