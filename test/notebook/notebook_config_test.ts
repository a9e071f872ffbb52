import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { isAbsolute } from "node:path";
import { notebookConfig, usesSample } from "@/notebook/notebook_config.ts";
import { resolveConfig } from "@/config/resolve_config.ts";

/** Reads environment variables from an object. */
const from = (given: Readonly<Record<string, string>>) => (name: string) => given[name];

Deno.test("notebookConfig() is the quickstart preset by default", () => {
  const config = notebookConfig({ read: from({ PRESET: "" }) });
  deepStrictEqual(config, resolveConfig({ preset: "quickstart" }));
  ok(usesSample(config));
});

Deno.test("notebookConfig() shortens runs only on the sample", () => {
  const settings = { set: ["seed=5"], sample: ["training.epochs=2"] };
  const sample = notebookConfig({ ...settings, read: from({}) });
  deepStrictEqual([sample.seed, sample.training.epochs], [5, 2]);
  const real = notebookConfig({ ...settings, read: from({ DATA_DIR: "../shared/data" }) });
  deepStrictEqual([real.seed, real.training.epochs], [5, 4]);
  ok(!usesSample(real));
});

Deno.test("notebookConfig() resolves folders against the project's folder and leaves names unchanged", () => {
  const { data, model, preset } = notebookConfig({
    read: from({ PRESET: "minilm", DATA_DIR: "../data", MODEL: "owner/name", MAX_ROWS: "50" }),
  });
  ok(data.dir !== null && isAbsolute(data.dir) && data.dir.endsWith("/data"));
  deepStrictEqual([preset, model.source, data.maxRows], ["minilm", "owner/name", 50]);
  strictEqual(notebookConfig({ read: from({ DATA_DIR: "sample" }) }).data.dir, "sample");
  throws(
    () => notebookConfig({ read: from({ MAX_ROWS: "few" }) }),
    /data\.maxRows must be .*current value is "few"/,
  );
});
