/** The package as published: documented symbols, and the files that ship. */
import { deepStrictEqual, match, ok } from "node:assert/strict";
import { join } from "node:path";

const ROOT = join(import.meta.dirname ?? "", "../..");

async function deno(...args: readonly string[]): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("every symbol of the public API is documented, with the types it refers to", async () => {
  const { success, text } = await deno(
    "doc",
    "--lint",
    "lib/api/library.ts",
    "lib/api/node_library.ts",
  );
  ok(success, text.slice(text.indexOf("error")));
});

Deno.test("every symbol of the engine is documented, with the types it refers to", async () => {
  const { text } = await deno("doc", "--lint", "lib/engine/library.ts");
  const errors = text.matchAll(/^error\[[a-z-]+\]: (.*)$/gm);
  // the package cannot document types of TensorFlow.js
  const foreign = /references private type '(Scalar|Tensor|Tensor1D|Tensor2D)'$/;
  deepStrictEqual([...errors].map(([, error = ""]) => error).filter((e) => !foreign.test(e)), []);
  match(text, /^Checked 1 file$|Found \d+ documentation lint errors/m, "the check ran");
});

Deno.test("the package is ready to publish and ships only what the library needs", async () => {
  const { success, text } = await deno("publish", "--dry-run", "--allow-dirty");
  ok(success && !text.includes("warning["), text);
  const listed = [...text.matchAll(/^ *file:\/\/(\S+) \(([\d.]+)(B|KB|MB)\)$/gm)];
  const files = listed.map(([, path = ""]) => decodeURIComponent(path).replace(`${ROOT}/`, ""));
  for (const needed of ["LICENSE", "README.md", "deno.json", "lib/api/library.ts"]) {
    ok(files.includes(needed), needed);
  }
  ok(
    files.some((path) => path.endsWith("/c/runtime.c")) &&
      files.some((path) => path.endsWith(".parquet")),
  );
  const allowed =
    /^(LICENSE|README\.md|deno\.json|data\/sample\/.+|lib\/.+\.(ts|c|h|md)|lib\/config\/config\.schema\.json)$/;
  deepStrictEqual(files.filter((path) => !allowed.test(path)), []);
  const scale = { B: 1, KB: 1e3, MB: 1e6 };
  const bytes = listed.reduce(
    (sum, [, , size, unit]) => sum + Number(size) * scale[unit as keyof typeof scale],
    0,
  );
  ok(bytes > 0.5e6 && bytes < 4e6, `${bytes} bytes`);
});
