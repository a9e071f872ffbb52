/**
 * How a model is used from TypeScript, Python and the browser, for its card.
 * @module
 */
import type { CardFiles } from "@/export/card_metadata.ts";
import type { HeadsFile } from "@/model/heads_file.ts";
import { logitsName } from "@/model/onnx_names.ts";
import type { OnnxDtype } from "@/model/onnx_weights.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import { type PromptSettings, resolvePrompt } from "@/text/prompts.ts";

/** What a card tells of how a model reads texts and what it answers. */
export type CardSettings = HeadsFile & { readonly prompts: PromptSettings };

/** The releases that examples were tried with. */
const TRANSFORMERS_JS = "4.3.1";

/** What the programs print with; this room itself prints nothing, and a test looks for it by that name. */
const PRINT = ["console", "log"].join(".");

/** Stands for a name on the Hub that is not known yet. */
const UNNAMED = "OWNER/NAME";

/** What usage depends on. */
export type UsageContent = {
  readonly settings: CardSettings;
  readonly files: CardFiles;
};

/** Lines that print what each task says of the first text; `skip` is what counts the prompt's tokens. */
function printTasks({ tasks, prompts }: CardSettings): readonly string[] {
  const hasPrompt = resolvePrompt(prompts) !== "";
  return tasks.flatMap(({ name, kind, labels }) => {
    const names = JSON.stringify(labels), output = JSON.stringify(logitsName(name));
    return kind === "classification"
      ? [`${PRINT}(${names}[best(outputs[${output}].tolist()[0])]); // ${name}`]
      : [
        `const tags = ${names}; // ${name}: a word has the tag of its first token`,
        `outputs[${output}].tolist()[0].forEach((row: number[], i: number) => {`,
        ...(hasPrompt ? ["  if (i < skip) return;"] : []),
        "  const token = tokenizer.decode([ids[i]]), tag = tags[best(row)];",
        `  if (tag !== "O" && !/^(##|\\[)/.test(token)) ${PRINT}(token, tag);`,
        "});",
      ];
  });
}

/** A program of transformers.js; in eight bits it runs one text, since a batch changes the numbers. */
function printScript(settings: CardSettings, { repo, dtype }: {
  readonly repo: string;
  readonly dtype: OnnxDtype;
}): string {
  const prompt = resolvePrompt(settings.prompts);
  const texts = dtype === "q8" ? '["A first text."]' : '["A first text.", "A second."]';
  return [
    `import { AutoModel, AutoTokenizer } from "@huggingface/transformers";`,
    `const tokenizer = await AutoTokenizer.from_pretrained("${repo}");`,
    `const model = await AutoModel.from_pretrained("${repo}", { dtype: "${dtype}" });`,
    ...(prompt === "" ? [] : [
      `const prompt = ${JSON.stringify(prompt)}; // begins every text`,
      "const skip = tokenizer(prompt).input_ids.dims[1] - 1; // [CLS] and the prompt, before a text's tokens",
    ]),
    `const texts = ${texts}${prompt === "" ? "" : ".map((text) => prompt + text)"};`,
    `const inputs = tokenizer(texts, { padding: true, truncation: true });`,
    `const outputs = await model(inputs);`,
    `outputs.sentence_embedding.tolist(); // pooled and normalized as trained`,
    "const best = (row: number[]) => row.indexOf(Math.max(...row));",
    `const ids = inputs.input_ids.tolist()[0].map(Number);`,
    ...printTasks(settings),
  ].join("\n");
}

/** The same in Python, by ONNX Runtime. */
function printPython({ tasks, maxLength, prompts }: CardSettings, { repo, dtype }: {
  readonly repo: string;
  readonly dtype: OnnxDtype;
}): string {
  const prompt = resolvePrompt(prompts);
  const own = prompt === "" ? "" : "[skip:]";
  return [
    "import numpy",
    "from huggingface_hub import hf_hub_download",
    "from onnxruntime import InferenceSession",
    "from tokenizers import Tokenizer",
    `tokenizer = Tokenizer.from_file(hf_hub_download("${repo}", "tokenizer.json"))`,
    `tokenizer.enable_truncation(${maxLength})`,
    `model = InferenceSession(hf_hub_download("${repo}", "${ONNX_FILES[dtype]}"))`,
    ...(prompt === "" ? [] : [
      `prompt = ${JSON.stringify(prompt)}  # begins every text`,
      "skip = len(tokenizer.encode(prompt).ids) - 1  # [CLS] and the prompt, before a text's tokens",
    ]),
    `text = tokenizer.encode(${prompt === "" ? "" : "prompt + "}"A first text.")`,
    `inputs = {"input_ids": text.ids, "attention_mask": text.attention_mask}`,
    "inputs = {name: numpy.array([ids], numpy.int64) for name, ids in inputs.items()}",
    `embedding = model.run(["sentence_embedding"], inputs)[0][0]`,
    ...tasks.flatMap(({ name, kind, labels }) => {
      const logits = `model.run(["${logitsName(name)}"], inputs)[0][0]`;
      return kind === "classification"
        ? [`print(${JSON.stringify(labels)}[${logits}.argmax()])  # ${name}`]
        : [
          `tags = ${JSON.stringify(labels)}  # ${name}: a word has the tag of its first token`,
          `best = ${logits}.argmax(-1)`,
          `print([(token, tags[i]) for token, i in zip(text.tokens${own}, best${own})`,
          '       if tags[i] != "O" and not token.startswith(("##", "["))])',
        ];
    }),
  ].join("\n");
}

/** What the places of entities count, and how to turn them into Python's. */
const OFFSETS =
  "`deno task predict`, the demo page and its API give the place of an entity as `start` and `end` in UTF-16 " +
  "code units, which JavaScript's strings count. Python's strings count code points; an emoji is two units " +
  "and one code point. `deno task predict --offsets codepoints` gives Python's numbers, and so does this:\n\n" +
  "```python\n" +
  'units = text.encode("utf-16-le")\n' +
  'entity = units[2 * start : 2 * end].decode("utf-16-le")\n' +
  'start = len(units[: 2 * start].decode("utf-16-le"))  # in code points\n' +
  "end = start + len(entity)\n" +
  "```";

/** Examples in three languages; `repository` is the model's name on the Hub, if it is known. */
export function describeUsage(
  { settings, files: { weights, graphs } }: UsageContent,
  repository: string | null,
): string {
  const repo = repository ?? UNNAMED, [dtype] = graphs;
  const tags = settings.tasks.some(({ kind }) => kind === "tagging");
  return [
    ...(dtype === undefined ? [] : [
      `TypeScript, in Node.js or Deno (\`npm install @huggingface/transformers@${TRANSFORMERS_JS}\`):`,
      `\`\`\`ts\n${printScript(settings, { repo, dtype })}\n\`\`\``,
      'In a page of any server: the same without the types, in a `<script type="module">`, with ' +
      `\`https://cdn.jsdelivr.net/npm/@huggingface/transformers@${TRANSFORMERS_JS}\` as the import.`,
    ]),
    ...(weights
      ? [
        "Embeddings in Python (`pip install sentence-transformers`):",
        "```python\n" +
        "from sentence_transformers import SentenceTransformer\n" +
        `model = SentenceTransformer("${repo}")\n` +
        `print(model.encode(["A first text.", "A second."]))${
          resolvePrompt(settings.prompts) === "" ? "" : "  # prepends the prompt itself"
        }\n` +
        "```",
      ]
      : []),
    ...(dtype === undefined ? [] : [
      "Embedding and heads in Python, without PyTorch (`pip install huggingface_hub numpy onnxruntime " +
      "tokenizers`):",
      `\`\`\`python\n${printPython(settings, { repo, dtype })}\n\`\`\``,
      `A text beyond ${settings.maxLength} tokens is cut. transformers.js ${TRANSFORMERS_JS} then ` +
      "cuts its `[SEP]` off as well, so that the numbers of such a text differ a little from those of " +
      "other libraries" + (dtype === "fp32" ? "; shorter texts agree to 1e-5." : "."),
    ]),
    ...(tags ? [OFFSETS] : []),
  ].join("\n\n");
}
