/**
 * The walk through the stages of a function in the engine's README. Its blocks are the output of `deno task inspect`; a
 * test compares them. `deno run -A test/inspect/engine_readme.ts` writes them.
 * @module
 */
import { join } from "node:path";
import { openEngine } from "@/engine/engine.ts";
import { formatStages } from "@/engine/inspect/format_text.ts";
import { inspectBuiltIn, readFunctionName } from "@/inspect/functions.ts";

/** Path of the README. */
export const ENGINE_README = join(import.meta.dirname ?? "", "../../lib/engine/README.md");

/** A block: the fence, the command and its output. */
const BLOCK = /^```\n\$ deno task inspect (\S+) --stage (\S+)\n([^]*?)\n```$/gm;

/** A block of the README, and what the task prints there now. */
export type Block = {
  readonly stage: string;
  readonly written: string;
  readonly printed: string;
};

/** The blocks of a README, in order. */
export async function readBlocks(readme: string): Promise<readonly Block[]> {
  await openEngine({ executor: "native", threads: 1 });
  const stages = new Map<string, string>();
  for (const [, name = ""] of readme.matchAll(BLOCK)) {
    if (stages.has(name)) continue;
    const [program] = await inspectBuiltIn(readFunctionName(name));
    if (program === undefined) throw new Error(`${name} was not compiled`);
    stages.set(name, "");
    for (const { name: stage, lines } of formatStages(program)) {
      stages.set(`${name} ${stage}`, lines.join("\n"));
    }
  }
  return [...readme.matchAll(BLOCK)].map(([, name, stage = "", written = ""]) => ({
    ...{ stage, written },
    printed: stages.get(`${name} ${stage}`) ?? "",
  }));
}

if (import.meta.main) {
  const readme = await Deno.readTextFile(ENGINE_README);
  const blocks = await readBlocks(readme);
  let next = 0;
  const filled = readme.replace(
    BLOCK,
    (block, name: string, stage: string) =>
      `\`\`\`\n$ deno task inspect ${name} --stage ${stage}\n${
        blocks[next++]?.printed ?? block
      }\n\`\`\``,
  );
  await Deno.writeTextFile(ENGINE_README, filled);
}
