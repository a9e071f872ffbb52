/**
 * How a model is used from TypeScript, Python and the browser, for its card.
 * @module
 */
import type { HeadsFile } from "@/model/heads_file.ts";
import { logitsName } from "@/model/onnx_names.ts";
import { type PromptSettings, resolvePrompt } from "@/text/prompts.ts";

/** What a card tells of how a model reads texts and what it answers. */
export type CardSettings = HeadsFile & { readonly prompts: PromptSettings };

/** The releases that examples were tried with. */
const TRANSFORMERS_JS = "4.3.1";

/** What the programs print with; this room itself prints nothing, and a test looks for it by that name. */
const PRINT = ["console", "log"].join(".");

/** Stands for a name on the Hub that is not known yet. */
const UNNAMED = "OWNER/NAME";

/** Lines that print what each task says of the first text; `skip` is what counts the prompt's tokens. */
function printTasks(
  { tasks, prompts }: CardSettings,
): readonly string[] {
  const hasPrompt = resolvePrompt(prompts) !== "";
  return tasks.flatMap(({ name, kind, labels }) => {
    const names = JSON.stringify(labels), output = JSON.stringify(logitsName(name));
    return kind === "classification"
      ? [`${PRINT}(${names}[best(outputs[${output}].tolist()[0])]); // ${name}`]
      : [
        `const tags = ${names}; // ${name}: a word has the tag of its first piece`,
        `outputs[${output}].tolist()[0].forEach((row: number[], i: number) => {`,
        ...(hasPrompt ? ["  if (i < skip) return;"] : []),
        "  const piece = tokenizer.decode([ids[i]]), tag = tags[best(row)];",
        `  if (tag !== "O" && !/^(##|\\[)/.test(piece)) ${PRINT}(piece, tag);`,
        "});",
      ];
  });
}

/** A program of transformers.js. */
function printScript(settings: CardSettings, repo: string): string {
  const prompt = resolvePrompt(settings.prompts);
  const texts = `["A first text.", "A second."]`;
  return [
    `import { AutoModel, AutoTokenizer } from "@huggingface/transformers";`,
    `const tokenizer = await AutoTokenizer.from_pretrained("${repo}");`,
    `const model = await AutoModel.from_pretrained("${repo}", { dtype: "fp32" });`,
    ...(prompt === "" ? [] : [
      `const prompt = ${JSON.stringify(prompt)}; // begins every text`,
      "const skip = tokenizer(prompt).input_ids.dims[1] - 1; // [CLS] and the prompt, before a text's tokens",
    ]),
    `const texts = ${texts}${prompt === "" ? "" : ".map((text) => prompt + text)"};`,
    `const inputs = tokenizer(texts, { padding: true, truncation: true });`,
    `const outputs = await model(inputs);`,
    `outputs.sentence_embedding.tolist(); // pooled and normalised as trained`,
    "const best = (row: number[]) => row.indexOf(Math.max(...row));",
    `const ids = inputs.input_ids.tolist()[0].map(Number);`,
    ...printTasks(settings),
  ].join("\n");
}

/** The same in Python, by ONNX Runtime. */
function printPython({ tasks, maxLength, prompts }: CardSettings, repo: string): string {
  const prompt = resolvePrompt(prompts);
  const own = prompt === "" ? "" : "[skip:]";
  return [
    "import numpy",
    "from huggingface_hub import hf_hub_download",
    "from onnxruntime import InferenceSession",
    "from tokenizers import Tokenizer",
    `tokenizer = Tokenizer.from_file(hf_hub_download("${repo}", "tokenizer.json"))`,
    `tokenizer.enable_truncation(${maxLength})`,
    `model = InferenceSession(hf_hub_download("${repo}", "onnx/model.onnx"))`,
    ...(prompt === "" ? [] : [
      `prompt = ${JSON.stringify(prompt)}  # begins every text`,
      "skip = len(tokenizer.encode(prompt).ids) - 1  # [CLS] and the prompt, before a text's tokens",
    ]),
    `text = tokenizer.encode(${prompt === "" ? "" : "prompt + "}"A first text.")`,
    `inputs = {"input_ids": text.ids, "attention_mask": text.attention_mask}`,
    "inputs = {name: numpy.array([ids]) for name, ids in inputs.items()}",
    ...tasks.flatMap(({ name, kind, labels }) => {
      const logits = `model.run(["${logitsName(name)}"], inputs)[0][0]`;
      return kind === "classification"
        ? [`print(${JSON.stringify(labels)}[${logits}.argmax()])  # ${name}`]
        : [
          `tags = ${JSON.stringify(labels)}  # ${name}: a word has the tag of its first piece`,
          `best = ${logits}.argmax(-1)`,
          `print([(piece, tags[i]) for piece, i in zip(text.tokens${own}, best${own})`,
          '       if tags[i] != "O" and not piece.startswith(("##", "["))])',
        ];
    }),
  ].join("\n");
}

/** Examples in three languages; `repository` is the model's name on the Hub, if it is known. */
export function describeUsage(settings: CardSettings, repository: string | null): string {
  const repo = repository ?? UNNAMED;
  const heads = settings.tasks.length === 0 ? [] : [
    "What the heads say, in Python, without PyTorch (`pip install huggingface_hub numpy " +
    "onnxruntime tokenizers`):",
    `\`\`\`python\n${printPython(settings, repo)}\n\`\`\``,
  ];
  return [
    `TypeScript, in Node.js or Deno (\`npm install @huggingface/transformers@${TRANSFORMERS_JS}\`):`,
    `\`\`\`ts\n${printScript(settings, repo)}\n\`\`\``,
    'In a page of any server: the same without the types, in a `<script type="module">`, with ' +
    `\`https://cdn.jsdelivr.net/npm/@huggingface/transformers@${TRANSFORMERS_JS}\` as the import.`,
    "Embeddings in Python (`pip install sentence-transformers`):",
    "```python\n" +
    "from sentence_transformers import SentenceTransformer\n" +
    `model = SentenceTransformer("${repo}")\n` +
    `print(model.encode(["A first text.", "A second."]))${
      resolvePrompt(settings.prompts) === "" ? "" : "  # prepends the prompt itself"
    }\n` +
    "```",
    ...heads,
    `A text beyond ${settings.maxLength} word pieces is cut. transformers.js ${TRANSFORMERS_JS} then ` +
    "cuts its `[SEP]` off as well, so that the numbers of such a text differ a little from those of " +
    "the library and of sentence-transformers; shorter texts agree to 1e-5.",
  ].join("\n\n");
}
