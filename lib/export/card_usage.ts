/**
 * How a model is used from TypeScript, Python and the browser, for its card.
 * @module
 */
import type { HeadsFile } from "@/model/heads_file.ts";
import { logitsName } from "@/model/onnx_names.ts";

/** The releases that examples were tried with. */
const TRANSFORMERS_JS = "4.3.1";

/** Reads the outputs of each task. */
function readTasks({ tasks }: HeadsFile): readonly string[] {
  return tasks.map(({ name, kind }) => {
    const shape = kind === "classification" ? "[texts, labels]" : "[texts, pieces, tags]";
    return `outputs[${JSON.stringify(logitsName(name))}]; // ${shape}`;
  });
}

/** Stands for a name on the Hub that is not known yet. */
const UNNAMED = "OWNER/NAME";

/** Examples in three languages; `repository` is the model's name on the Hub, if it is known. */
export function describeUsage(settings: HeadsFile, repository: string | null): string {
  const repo = repository ?? UNNAMED;
  const load = (from: string) =>
    [
      `import { AutoModel, AutoTokenizer } from "${from}";`,
      `const tokenizer = await AutoTokenizer.from_pretrained("${repo}");`,
      `const model = await AutoModel.from_pretrained("${repo}", { dtype: "fp32" });`,
      `const inputs = tokenizer(["A first text.", "A second."], { padding: true, truncation: true });`,
      `const outputs = await model(inputs);`,
      `outputs.sentence_embedding.tolist(); // pooled and normalised as trained`,
      ...readTasks(settings),
    ].join("\n");
  const labels = settings.tasks.length === 0
    ? ""
    : "\n\nThe names of labels and tags, by their place in the last axis, are in `heads.json`.";
  return `TypeScript, in Node.js or Deno (\`npm install @huggingface/transformers@${TRANSFORMERS_JS}\`):\n\n` +
    `\`\`\`ts\n${load("@huggingface/transformers")}\n\`\`\`${labels}\n\n` +
    "Python (`pip install sentence-transformers`), embeddings alone:\n\n" +
    "```python\n" +
    "from sentence_transformers import SentenceTransformer\n" +
    `model = SentenceTransformer("${repo}")\n` +
    'print(model.encode(["A first text.", "A second."]))\n' +
    "```\n\nIn a page of any server:\n\n" +
    '```html\n<script type="module">\n' +
    load(`https://cdn.jsdelivr.net/npm/@huggingface/transformers@${TRANSFORMERS_JS}`) +
    "\n</script>\n```\n\n" +
    `A text beyond ${settings.maxLength} word pieces is cut. transformers.js ${TRANSFORMERS_JS} then cuts its ` +
    "`[SEP]` off as well, so that the numbers of such a text differ a little from those of the library and " +
    "of sentence-transformers; shorter texts agree to 1e-5.";
}
