// Saved models, read by transformers.js 4.3.1 without this library: in Deno, in Node.js and in Chromium.
import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import type { SavedModel } from "@/eval/open_saved_model.ts";
import { createTextPredictor } from "@/eval/predict_examples.ts";
import { softmaxRowsInto } from "@/eval/text_predictor.ts";
import { NO_PROMPTS, type PromptSettings } from "@/text/prompts.ts";
import { describeUsage } from "@/export/card_usage.ts";
import { readHeadsFile } from "@/model/heads_file.ts";
import { logitsName } from "@/model/onnx_names.ts";
import { saveOnnx } from "@/model/save_onnx.ts";
import { findChromium, withBrowser, withPage } from "../app/chromium.ts";
import { withStaticHost } from "../app/static_host.ts";
import { withSavedModel } from "../eval/saved_model.ts";
import { bundleProgram, type PipelineAnswer, printProgram } from "./pipeline_programs.ts";

const TOLERANCE = 1e-5;
const TEXTS = ["Ada wrote.", "", "São — 1999!", "yes"]; // within the model's 16 tokens
const INPUT = { texts: TEXTS, topics: logitsName("topic"), tooLong: "one two ".repeat(20) };
/** Outcome of the program in a browser. */
type Outcome = { readonly answer?: PipelineAnswer; readonly error?: string };

const ROOT = join(import.meta.dirname ?? "", "../..");

const chromium = await findChromium();

/** Runs `test` with a tiny model in `folder`/model, including its graph. */
async function withGraph(
  test: (saved: SavedModel, folder: string) => Promise<void>,
  prompts?: PromptSettings,
) {
  await withSavedModel([0, 1, -1], async (saved, folder) => {
    await saveOnnx(join(folder, "model"), saved.model, "fp32");
    await test(saved, folder);
  }, prompts);
}

function checkRows(
  found: readonly (readonly number[])[],
  wanted: readonly (readonly number[])[],
): void {
  deepStrictEqual(found.map(({ length }) => length), wanted.map(({ length }) => length));
  const away = Math.max(
    ...found.flatMap((row, i) => row.map((value, k) => Math.abs(value - (wanted[i]?.[k] ?? NaN)))),
  );
  ok(away < TOLERANCE, `numbers differ by ${away}`);
}

/** Checks that the answer equals the result of this library for the same texts. */
async function checkAnswer(answer: PipelineAnswer, saved: SavedModel): Promise<void> {
  const embeddings = (await createSentenceEncoder(saved).encode(TEXTS)).map((row) => [...row]);
  checkRows(answer.embeddings, embeddings);
  checkRows(answer.sentences, embeddings);
  const predictions = await createTextPredictor(saved).predict(TEXTS);
  checkRows(
    answer.topics.map((row) => {
      const scores = Float32Array.from(row);
      softmaxRowsInto(scores, scores.length);
      return [...scores];
    }),
    predictions.map(({ labels }) => Object.values(labels["topic"]?.probabilities ?? {})),
  );
  // the card warns about this; remove the warning once transformers.js keeps [SEP]
  notStrictEqual(answer.lastOfCut, saved.tokenizer.ids.sep);
}

/** Runs a program, which must succeed, and returns its output lines. */
async function runProgram(command: string, args: readonly string[]): Promise<readonly string[]> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
  })
    .output();
  ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n");
}

/** Writes a program to `file` and runs it with Deno and the project's packages. */
async function runInDeno(file: string, program: string): Promise<readonly string[]> {
  await Deno.writeTextFile(file, program);
  const config = join(ROOT, "deno.json");
  return await runProgram(Deno.execPath(), ["run", "-A", "--no-check", "--config", config, file]);
}

/** Parses the last line as the answer. */
const readAnswer = (lines: readonly string[]): PipelineAnswer => JSON.parse(lines.at(-1) ?? "");

function hasNode(): boolean {
  try {
    return new Deno.Command("node", { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test("transformers.js in Deno computes a saved model's embeddings and topics", async () => {
  await withGraph(async (saved, folder) => {
    const program = printProgram(join(folder, "model"), INPUT);
    await checkAnswer(readAnswer(await runInDeno(join(folder, "program.js"), program)), saved);
  });
});

const WHOLE = { weights: true, graphs: ["fp32"] } as const;

const PROMPT = {
  prompts: { query: "yes: ", document: "" },
  defaultPromptName: "query",
  includePrompt: false,
};

for (const [what, prompts] of [["without", NO_PROMPTS], ["with", PROMPT]] as const) {
  Deno.test(`the card's TypeScript example prints the topic and the tagged tokens of a text, ${what} a prompt`, async () => {
    await withGraph(async (saved, folder) => {
      const heads = await readHeadsFile(join(folder, "model/heads.json"));
      const settings = { ...heads, prompts: saved.prompts };
      const usage = describeUsage({ settings, files: WHOLE }, join(folder, "model"));
      const program = /```ts\n([^]*?)\n```/.exec(usage)?.[1] ?? "";
      const [topic, ...tokens] = await runInDeno(
        join(folder, "program.ts"),
        program.replace('"A second."', '"yes"'),
      );
      const [prediction] = await createTextPredictor(saved).predict(["A first text."]);
      strictEqual(topic, prediction?.labels["topic"]?.label);
      // by its biases, the model tags every token as B-X: the first tokens of "A", "first", "text" and "." are printed
      deepStrictEqual(tokens.map((line) => line.slice(line.indexOf(" "))), Array(4).fill(" B-X"));
      ok(!tokens.some((line) => line.startsWith("##")));
    }, prompts);
  });
}

/** True if `python3` has the packages that the card's Python examples need. */
async function hasPython(): Promise<boolean> {
  const args = ["-c", "import huggingface_hub, numpy, onnxruntime, tokenizers"];
  try {
    return (await new Deno.Command("python3", { args, stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test({
  name: "the card's Python examples print the topic, the tagged tokens, and offsets in code points",
  ignore: !await hasPython(),
  async fn() {
    for (const prompts of [NO_PROMPTS, PROMPT]) {
      await withGraph(async (saved, folder) => {
        const heads = await readHeadsFile(join(folder, "model/heads.json"));
        const settings = { ...heads, prompts: saved.prompts };
        const files = { weights: false, graphs: ["fp32"] } as const;
        const usage = describeUsage({ settings, files }, join(folder, "model"));
        const [ask = "", convert = ""] = [...usage.matchAll(/```python\n([^]*?)\n```/g)]
          .map(([, program]) => program);
        const local = ask.replaceAll(/hf_hub_download\("([^"]*)", "([^"]*)"\)/g, '"$1/$2"');
        const [topic, tags] = await runProgram("python3", ["-c", local]);
        const [prediction] = await createTextPredictor(saved).predict(["A first text."]);
        strictEqual(topic, prediction?.labels["topic"]?.label);
        strictEqual((tags ?? "").match(/'B-X'/g)?.length, 4); // of "A", "first", "text" and "."
        const given = 'text, start, end = "😀 Ada wrote.", 3, 6'; // the emoji has two code units
        const lines = await runProgram("python3", [
          "-c",
          `${given}\n${convert}\nprint(entity, start, end)`,
        ]);
        deepStrictEqual(lines, ["Ada 2 5"]);
      }, prompts);
    }
  },
});

Deno.test({
  name: "transformers.js in Node.js computes a saved model's embeddings and topics",
  ignore: !hasNode(),
  async fn() {
    await withGraph(async (saved, folder) => {
      const program = printProgram(join(folder, "model"), INPUT);
      const lines = await runProgram("node", ["--input-type=module", "--eval", program]);
      await checkAnswer(readAnswer(lines), saved);
    });
  },
});

Deno.test({
  name: "transformers.js in a browser computes a saved model's embeddings and topics",
  ignore: chromium === null,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await withGraph(async (saved, folder) => {
      for (const [name, content] of await bundleProgram(INPUT)) {
        await Deno.writeFile(join(folder, name), content);
      }
      const page = `<!doctype html><title>t</title><script type="module" src="page.js"></script>`;
      await Deno.writeTextFile(join(folder, "index.html"), page);
      await withStaticHost(folder, async ({ address }) => {
        await withBrowser(chromium ?? "", async (browser) => {
          await withPage(browser, address, async ({ page, requests, problems }) => {
            const outcome = await page.waitForFunction("window.outcome");
            const { answer, error } = await outcome.jsonValue() as Outcome;
            ok(answer !== undefined, `${error}; ${problems.join("; ")}`);
            await checkAnswer(answer, saved);
            const elsewhere = requests.filter((request) =>
              !request.startsWith(address) && !request.startsWith("blob:")
            );
            deepStrictEqual(elsewhere, []);
            match(requests.join("\n"), /\/model\/onnx\/model\.onnx$/m);
          });
        });
      });
    });
  },
});
