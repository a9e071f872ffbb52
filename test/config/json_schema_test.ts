/** The JSON Schema of configurations, by which editors check them. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { Ajv } from "ajv";
import {
  composeConfigSchema,
  CONFIG_JSON_SCHEMA,
  formatConfigSchema,
} from "@/cli/development/config_json_schema.ts";
import { PRESETS } from "@/config/presets.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { isObject } from "@/schema.ts";

const OUTPUTS = join(import.meta.dirname ?? "", "../../outputs");
const SCHEMA = JSON.parse(await Deno.readTextFile(CONFIG_JSON_SCHEMA));
const check = new Ajv({ allErrors: true, strictTypes: false }).compile(SCHEMA);

/** The path and the reason of each error. */
const errors = (value: unknown) => check(value) ? [] : check.errors ?? [];

Deno.test("config.schema.json is up to date", async () => {
  strictEqual(
    await Deno.readTextFile(CONFIG_JSON_SCHEMA),
    formatConfigSchema(await composeConfigSchema()),
    "run deno run -A lib/cli/development/config_json_schema.ts to update it",
  );
});

Deno.test("config.schema.json describes every key", () => {
  const bare: string[] = [];
  const walk = (node: unknown, path: string) => {
    if (Array.isArray(node)) node.forEach((each) => walk(each, path));
    if (!isObject(node)) return;
    for (const [key, value] of Object.entries(node)) {
      if (key !== "properties" || !isObject(value)) walk(value, path);
      else {
        for (const [name, each] of Object.entries(value)) {
          if (!isObject(each) || typeof each.description !== "string") bare.push(`${path}${name}`);
          walk(each, `${path}${name}.`);
        }
      }
    }
  };
  walk(SCHEMA, "");
  deepStrictEqual(bare, []);
});

for (const [name, preset] of Object.entries(PRESETS)) {
  Deno.test(`config.schema.json accepts preset ${name}`, () => {
    deepStrictEqual(errors(preset), []);
  });
}

Deno.test("config.schema.json accepts the configurations of all committed runs, and so does resolveConfig()", async () => {
  let runs = 0;
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = join(folder, name);
      if (isDirectory && name !== "model") await visit(path);
      if (name !== "config.json") continue;
      const config = JSON.parse(await Deno.readTextFile(path));
      deepStrictEqual(errors(config), [], path);
      resolveConfig({ file: config });
      runs++;
    }
  };
  await visit(OUTPUTS);
  ok(runs > 10, `${runs} runs`);
});

Deno.test("config.schema.json accepts parts of a configuration, which resolveConfig() completes", () => {
  const { tasks } = PRESETS.quickstart;
  const [first] = tasks;
  ok(first !== undefined);
  const { name, kind, dataset, columns, labels } = first;
  const file = {
    $schema: "../config.schema.json",
    preset: "minilm",
    training: { learningRate: { top: 1e-5 } },
    tasks: [{ name, kind, dataset, columns, labels, split: { test: null } }],
  };
  deepStrictEqual(errors(file), []);
  deepStrictEqual(errors({}), []);
  const config = resolveConfig({ file });
  ok(!("$schema" in config));
  deepStrictEqual(config.tasks[0]?.split, {
    validation: null,
    test: null,
    column: null,
    group: null,
    stratify: false,
  });
});

const task = PRESETS.quickstart.tasks[1];
const WRONG: readonly unknown[] = [
  { sead: 3 },
  { training: { learningRate: { head: 1 } } },
  { training: { epochs: "3" } },
  { training: { warmup: 1 } },
  { training: { unfreezeEvery: "step" } },
  { model: [] },
  { model: { pooling: "sum" } },
  { preset: "large" },
  { seed: 0.5 },
  { tasks: [] },
  { tasks: [{ ...task, kind: "ranking" }] },
  { tasks: [{ ...task, metric: "accuracy" }] },
  { tasks: [{ ...task, labels: ["O", "PER"] }] },
  { tasks: [{ ...task, columns: { text: "text", label: "label" } }] },
  { tasks: [{ name: "a" }] },
];

for (const wrong of WRONG) {
  const text = JSON.stringify(wrong);
  Deno.test(`config.schema.json rejects ${text.length > 70 ? `${text.slice(0, 67)}...` : text}`, () => {
    ok(errors(wrong).length > 0);
  });
}
