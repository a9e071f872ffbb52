/**
 * Usage section of a model card: example programs for TypeScript, Python and the browser.
 * @module
 */
import type { CardFiles } from "@/export/card_metadata.ts";
import type { HeadsFile } from "@/model/heads_file.ts";
import { logitsName } from "@/model/onnx_names.ts";
import type { OnnxDtype } from "@/model/onnx_weights.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import { type PromptSettings, resolvePrompt } from "@/text/prompts.ts";

/** Settings of a model that the card describes. */
export type CardSettings = HeadsFile & { readonly prompts: PromptSettings };

/** Version of transformers.js that the examples were tested with. */
const TRANSFORMERS_JS = "4.3.1";

/** Function that prints in the examples; composed, since a test forbids direct console output in this folder. */
const PRINT = ["console", "log"].join(".");

/** Placeholder for an unknown Hub repository. */
const UNNAMED = "OWNER/NAME";

/** Input of {@link describeUsage}. */
type UsageContent = {
  readonly settings: CardSettings;
  readonly files: CardFiles;
};

/** Code lines that print the predictions of each task for the first text; the variable `skip` counts the prompt's tokens. */
function printTasks({ tasks, prompts }: CardSettings): readonly string[] {
  const hasPrompt = resolvePrompt(prompts) !== "";
  return tasks.flatMap(({ name, kind, labels }) => {
    const names = JSON.stringify(labels), output = JSON.stringify(logitsName(name));
    return kind === "classification"
      ? [`${PRINT}(${names}[argmax(outputs[${output}].tolist()[0])]); // ${name}`]
      : [
        `const tags = ${names}; // ${name}: the tag of a word is that of its first token`,
        `outputs[${output}].tolist()[0].forEach((row: number[], i: number) => {`,
        ...(hasPrompt ? ["  if (i < skip) return;"] : []),
        "  const token = tokenizer.decode([ids[i]]), tag = tags[argmax(row)];",
        `  if (tag !== "O" && !/^(##|\\[)/.test(token)) ${PRINT}(token, tag);`,
        "});",
      ];
  });
}

/** Program for transformers.js. An eight-bit graph gets one text at a time, because a batch changes its results. */
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
      `const prompt = ${JSON.stringify(prompt)}; // prepended to every text`,
      "const skip = tokenizer(prompt).input_ids.dims[1] - 1; // [CLS] and the tokens of the prompt",
    ]),
    `const texts = ${texts}${prompt === "" ? "" : ".map((text) => prompt + text)"};`,
    `const inputs = tokenizer(texts, { padding: true, truncation: true });`,
    `const outputs = await model(inputs);`,
    `outputs.sentence_embedding.tolist(); // pooled and normalized as trained`,
    "const argmax = (row: number[]) => row.indexOf(Math.max(...row));",
    `const ids = inputs.input_ids.tolist()[0].map(Number);`,
    ...printTasks(settings),
  ].join("\n");
}

/** Program for ONNX Runtime in Python. */
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
      `prompt = ${JSON.stringify(prompt)}  # prepended to every text`,
      "skip = len(tokenizer.encode(prompt).ids) - 1  # [CLS] and the tokens of the prompt",
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
          `tags = ${
            JSON.stringify(labels)
          }  # ${name}: the tag of a word is that of its first token`,
          `best = ${logits}.argmax(-1)`,
          `print([(token, tags[i]) for token, i in zip(text.tokens${own}, best${own})`,
          '       if tags[i] != "O" and not token.startswith(("##", "["))])',
        ];
    }),
  ].join("\n");
}

/** Explains the unit of entity offsets and their conversion to code points. */
const OFFSETS =
  "`deno task predict`, the demo page and its API report the offsets `start` and `end` of an entity in UTF-16 " +
  "code units, like JavaScript strings. Python strings count code points instead; an emoji is two code units " +
  "but one code point. `deno task predict --offsets codepoints` prints offsets for Python, and this code " +
  "converts them:\n\n" +
  "```python\n" +
  'units = text.encode("utf-16-le")\n' +
  'entity = units[2 * start : 2 * end].decode("utf-16-le")\n' +
  'start = len(units[: 2 * start].decode("utf-16-le"))  # in code points\n' +
  "end = start + len(entity)\n" +
  "```";

/** Usage section with examples in three languages; `repository` is the model's name on the Hub, or null if unknown. */
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
      'In a web page: the same code without types, in a `<script type="module">` that imports ' +
      `\`https://cdn.jsdelivr.net/npm/@huggingface/transformers@${TRANSFORMERS_JS}\`.`,
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
      "Embeddings and predictions in Python, without PyTorch (`pip install huggingface_hub numpy onnxruntime " +
      "tokenizers`):",
      `\`\`\`python\n${printPython(settings, { repo, dtype })}\n\`\`\``,
      `Texts longer than ${settings.maxLength} tokens are truncated. transformers.js ${TRANSFORMERS_JS} ` +
      "also drops their final `[SEP]`, so its results for such texts differ slightly from those of other " +
      "libraries" + (dtype === "fp32" ? "; results for shorter texts agree to 1e-5." : "."),
    ]),
    ...(tags ? [OFFSETS] : []),
  ].join("\n\n");
}
