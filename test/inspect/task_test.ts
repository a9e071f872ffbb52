import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";

const ignore = findCompiler() === null;
const TASK = fileURLToPath(import.meta.resolve("@/cli/development/inspect.ts"));
const folder = await Deno.makeTempDir();
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Runs the task; exit code, output and errors. */
async function inspect(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", TASK, ...args],
    env: { NO_COLOR: "1", ...env },
  }).output();
  const read = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  return { code, out: read(stdout), error: read(stderr) };
}

const FUNCTIONS =
  "softmax, layer_norm, layer_norm_gradient, gelu, matmul_bias, attention, adamw, step-mini, encode";
const STAGES =
  "traced, dead-code, autocast, prepare, lower, groups, c, instructions, memory, time, fallbacks";

const WRONG: readonly (readonly [args: readonly string[], message: string])[] = [
  [[], "Cannot run inspect: NAME is missing; see --help"],
  [
    ["softmaks"],
    `Cannot inspect: there is no function softmaks (did you mean softmax?); the functions are ${FUNCTIONS}`,
  ],
  [["poem"], `Cannot inspect: there is no function poem; the functions are ${FUNCTIONS}`],
  [
    ["softmax", "--set", "device=tensorflow"],
    "Cannot inspect on device tensorflow: only device cpu compiles functions",
  ],
];

for (const [args, message] of WRONG) {
  Deno.test(`inspect ${args.join(" ")} fails with a one-line error`, async () => {
    deepStrictEqual(await inspect(args), { code: 1, out: "", error: `error: ${message}` });
  });
}

Deno.test({
  name: "inspect rejects a stage that the function does not have, and lists those it has",
  ignore,
  async fn() {
    const { code, error } = await inspect(["softmax", "--stage", "poem"]);
    deepStrictEqual([code, error], [
      1,
      `error: Cannot inspect: stage poem is not one of ${STAGES}`,
    ]);
  },
});

Deno.test({
  name: "inspect --stage prints one stage, and --set reaches the engine",
  ignore,
  async fn() {
    const { code, out } = await inspect([
      "softmax",
      "--stage",
      "autocast",
      "--set",
      "native.threads=1",
    ]);
    const [head = "", , title, ...lines] = out.split("\n");
    strictEqual(code, 0);
    ok(/^softmax: native \(.*\), 1 thread, float32$/.test(head), head);
    deepStrictEqual([title, lines.at(-1)], ["── autocast ──", "unchanged: 1 input, 7 operations"]);
  },
});

Deno.test({
  name:
    "inspect --json prints all programs with their stages, and --html writes the page beside it",
  ignore,
  async fn() {
    const html = join(folder, "adamw.html");
    const { code, out } = await inspect(["adamw", "--json", "--html", html]);
    strictEqual(code, 0);
    const [adamw, ...others] = JSON.parse(out);
    deepStrictEqual(others, []);
    // the weight and both moments are updated in place
    deepStrictEqual(
      adamw.graphs[0].outputs.map(({ name, replaces }: Record<string, string>) => [name, replaces]),
      ["inspect.weight", "inspect.first", "inspect.second"].map((name) => [name, name]),
    );
    ok((await Deno.readTextFile(html)).includes("<title>adamw: compiled</title>"));
  },
});

Deno.test({
  name: "STX_INSPECT writes a page for each program, with the times of its runs",
  ignore,
  async fn() {
    const pages = join(folder, "pages");
    const { code } = await inspect(["step-mini", "--stage", "time"], { STX_INSPECT: pages });
    strictEqual(code, 0);
    const files = [...Deno.readDirSync(pages)].map(({ name }) => name).sort();
    deepStrictEqual(files, ["gradient.topic_B16_T32.html", "update.html"]);
    for (const file of files) {
      const text = await Deno.readTextFile(join(pages, file));
      ok(/mean of \d+ runs/.test(text), file);
    }
  },
});

Deno.test("STX_INSPECT names a folder that cannot be created", async () => {
  const file = join(folder, "file");
  await Deno.writeTextFile(file, "");
  const { code, error } = await inspect(["softmax"], { STX_INSPECT: join(file, "pages") });
  strictEqual(code, 1);
  ok(error.startsWith(`error: Cannot inspect into STX_INSPECT=${join(file, "pages")}: `), error);
});
