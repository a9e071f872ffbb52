/**
 * `deno task docs`: renders the API reference of the library as HTML.
 * @module
 */
import { join } from "node:path";
import { isFile } from "@/system/files.ts";
import type { Options } from "../arguments.ts";
import { runTask, type Task } from "../run_task.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..", "..");

const OPTIONS = {
  out: {
    type: "string",
    value: "DIR",
    byDefault: ".cache/docs",
    help: "output folder",
  },
} as const satisfies Options;

/** The task `docs`. */
const DOCS = {
  name: "docs",
  summary:
    "Renders the API reference of the library (lib/api/library.ts) and of its engine (lib/engine/library.ts) as HTML.",
  usage: "[--out DIR]",
  options: OPTIONS,
  async run({ values: { out = join(ROOT, ".cache", "docs") } }) {
    await Deno.mkdir(out, { recursive: true });
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["doc", "--html", "--name=@stx/sentence-transformer", `--output=${out}`],
        join(ROOT, "lib", "api", "library.ts"),
        join(ROOT, "lib", "engine", "library.ts"),
      ],
      cwd: ROOT,
    }).output();
    if (!success || !await isFile(join(out, "index.html"))) {
      throw new Error(`Cannot render the API reference: ${new TextDecoder().decode(stderr)}`);
    }
    console.log(join(out, "index.html"));
  },
} satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(DOCS);
