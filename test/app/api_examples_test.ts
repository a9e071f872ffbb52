import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { writeApiExamples } from "@/app/page/api_panel.ts";
import { inFolder } from "../train/tiny_run.ts";
import { withServedApp } from "./served_app.ts";

/** A text with characters that need quoting or escaping in some language. */
const TEXT = `It's "Ada" \\ $HOME \`id\` !! %s\n\tצרפת 😀 \u2028 \u007f</script>`;

/** Commands that run an example, by its id. */
const COMMANDS = {
  curl: { tool: "curl", command: "bash", file: "ask.sh", args: [] },
  typescript: {
    tool: null,
    command: Deno.execPath(),
    file: "ask.ts",
    args: ["run", "-A", "--no-config"],
  },
  python: { tool: "python3", command: "python3", file: "ask.py", args: [] },
} as const;

async function hasTool(name: string): Promise<boolean> {
  try {
    return (await new Deno.Command(name, { args: ["--version"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("the example programs of the page run unchanged and print the API's answer", async () => {
  await withServedApp(async ({ address }) => {
    await inFolder(async (folder) => {
      const requests = [
        { url: `${address}api/predict`, body: { text: TEXT, run: "tiny" }, answer: "predictions" },
        {
          url: `${address}api/encode`,
          body: { texts: [TEXT], pooling: "max" },
          answer: "embeddings",
        },
      ] as const;
      for (const request of requests) {
        const response = await fetch(request.url, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(request.body),
        });
        const right = (await response.json())[request.answer][0];
        if (request.answer === "predictions") strictEqual(right.text, TEXT);
        const examples = writeApiExamples(request);
        deepStrictEqual(examples.map(({ id }) => id), ["curl", "typescript", "python"]);
        for (const { id, code } of examples) {
          const { tool, command, file, args } = COMMANDS[id];
          if (tool !== null && !await hasTool(tool)) continue; // TypeScript runs with Deno itself
          await Deno.writeTextFile(join(folder, file), code);
          const { success, stdout, stderr } = await new Deno.Command(command, {
            args: [...args, join(folder, file)],
            env: { PYTHONIOENCODING: "utf-8" },
          }).output();
          ok(success, `${id}: ${new TextDecoder().decode(stderr)}`);
          const printed = JSON.parse(new TextDecoder().decode(stdout));
          deepStrictEqual(id === "curl" ? printed[request.answer][0] : printed, right, id);
        }
      }
    });
  });
});
