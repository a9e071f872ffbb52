import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { createGraphService } from "@/app/page/graph_service.ts";
import { STATIC_FILES } from "@/app/page/static_files.ts";
import { addPolicy, STATIC_PAGE_POLICY } from "@/app/policies.ts";
import { writeStaticPage } from "@/app/write_static_page.ts";
import { textModelOf } from "@/eval/text_model.ts";
import { openSavedGraph } from "@/engine/onnx/saved_graph.ts";
import { embeddingName, GRAPH_INPUTS, logitsName } from "@/model/onnx_names.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { withSavedModel } from "../eval/saved_model.ts";
import { FACTS } from "./served_app.ts";
import { inFolder } from "../train/tiny_run.ts";

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("writeStaticPage() writes a self-contained folder", async () => {
  await withSavedModel([0, 1, -1], async (saved) => {
    await inFolder(async (folder) => {
      const out = join(folder, "site", "page");
      const run = { model: textModelOf(saved), facts: FACTS, report: null, card: null };
      const files = await writeStaticPage(run, out);
      const { report, card, ...others } = STATIC_FILES;
      deepStrictEqual(files.map(({ name }) => name), Object.values(others).sort());
      deepStrictEqual(namesIn(join(folder, "site")), ["page"]);
      const html = await Deno.readTextFile(join(out, STATIC_FILES.page));
      match(html, new RegExp(`<head>\\s*<meta http-equiv="Content-Security-Policy" content="`));
      const places = [...html.matchAll(/(?:src|href)="(?!data:|#)([^"]*)"/g)].map(([, at]) => at);
      deepStrictEqual(places, [STATIC_FILES.style, STATIC_FILES.script]);
      match(html, /<p id="status"[^>]*>Loading\. Browsers do not run this page from a local file/);
      const { info, bytes } = JSON.parse(await Deno.readTextFile(join(out, STATIC_FILES.model)));
      deepStrictEqual([info.run, info.pooling, info.maxLength], ["tiny", "mean", 16]);
      strictEqual(bytes.graph, (await Deno.stat(join(out, STATIC_FILES.graph))).size);

      await Deno.writeTextFile(join(out, "old.txt"), "");
      const again = await writeStaticPage({ ...run, report: "<p>R</p>", card: "<p>C</p>" }, out);
      for (const page of [report, card]) ok(again.some(({ name }) => name === page));
      deepStrictEqual(namesIn(out), Object.values(STATIC_FILES).sort());

      const mine = join(folder, "mine");
      await Deno.mkdir(mine);
      await Deno.writeTextFile(join(mine, "thesis.txt"), "");
      await rejects(writeStaticPage(run, mine), {
        name: "AlreadyExists",
        message:
          `Cannot write the page: ${mine} contains other files; choose a new or empty folder, or one with an earlier page`,
      });
      deepStrictEqual(namesIn(mine), ["thesis.txt"]);
      deepStrictEqual(namesIn(folder), ["mine", "site"]);
    });
  });
});

Deno.test("the static page applies the model's prompt and pooling", async () => {
  const prompts = {
    prompts: { query: "yes: ", document: "" },
    defaultPromptName: "query",
    includePrompt: false,
  };
  await withSavedModel([0, 1, -1], async (saved) => {
    await inFolder(async (folder) => {
      const model = textModelOf(saved);
      const page = join(folder, "page");
      await writeStaticPage({ model, facts: FACTS, report: null, card: null }, page);
      const read = async (name: string) => JSON.parse(await Deno.readTextFile(join(page, name)));
      const { info } = await read(STATIC_FILES.model);
      const tokenizer = tokenizerFromJson(
        await read(STATIC_FILES.tokenizer),
        await read(STATIC_FILES.tokenizerConfig),
      );
      const tags = model.settings.tasks[1]?.labels.length ?? NaN;
      const shapes = (tokens: number): Readonly<Record<string, number[]>> => ({
        [embeddingName("mean")]: [1, 16],
        [embeddingName("max")]: [1, 16],
        [logitsName("topic")]: [1, 3],
        [logitsName("tags")]: [1, tokens, tags],
      });
      using graph = openSavedGraph(await Deno.readFile(join(page, STATIC_FILES.graph)), {
        inputs: GRAPH_INPUTS,
        outputs: Object.keys(shapes(1)),
        threads: 1,
      });
      const runGraph = async (ids: Int32Array) => {
        const wanted = Object.entries(shapes(ids.length)), shape = [1, ids.length];
        const ones = new BigInt64Array(ids.length).fill(1n);
        const values = await graph.run([
          { data: BigInt64Array.from(ids, BigInt), shape },
          { data: ones, shape },
        ], wanted.map(([, shape]) => shape));
        return new Map(wanted.map(([name], i) => [name, values[i] ?? new Float32Array()]));
      };
      const service = createGraphService({ info, tokenizer, runGraph, nowMs: () => 0 });
      const texts = ["Ada Lovelace"];
      for (const pooling of ["mean", "max"] as const) {
        const choice = { pooling, normalize: "l2" } as const;
        const { embeddings, promptName } = await service.encode(texts, choice);
        strictEqual(promptName, "query");
        const away = async (prompt?: string) => {
          const [wanted = []] = await model.createEncoder({ ...choice, prompt }).encode(texts);
          return Math.max(...[...wanted].map((x, i) => Math.abs(x - (embeddings[0]?.[i] ?? NaN))));
        };
        ok(await away() < 0.05, `${pooling}: eight-bit weights differ by ${await away()}`);
        ok(await away("") > 0.1, `${pooling}: the prompt counts`);
      }
      const { predictions } = await service.predict(["Ada Lovelace"]);
      deepStrictEqual(predictions[0]?.entities.tags?.map(({ start, end }) => [start, end]), [
        [0, 3],
        [4, 12],
      ]);
    });
  }, prompts);
});

Deno.test("addPolicy() puts the policy before all content", () => {
  const tag = '<meta http-equiv="Content-Security-Policy" content="p">';
  strictEqual(addPolicy("<html><head lang=a><style>", "p"), `<html><head lang=a>${tag}<style>`);
  strictEqual(addPolicy("<!DOCTYPE html><style>", "p"), `<!DOCTYPE html>${tag}<style>`);
  strictEqual(addPolicy("<style>", "p"), `${tag}<style>`);
  match(STATIC_PAGE_POLICY, /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; /);
  strictEqual(/'unsafe-(inline|eval)'|frame-ancestors|https?:/.test(STATIC_PAGE_POLICY), false);
});
