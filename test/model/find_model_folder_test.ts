import { rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { findModelFolder, isHubName } from "@/model/find_model_folder.ts";
import { findGraphWithoutWeights } from "@/model/save_onnx.ts";
import { COMMIT, withFakeHub } from "../data/hub_server.ts";

Deno.test("findModelFolder() accepts a run or a model folder, and reports what is missing", async () => {
  const folder = await Deno.makeTempDir();
  const write = async (...path: string[]) => {
    const file = join(folder, ...path);
    await Deno.mkdir(join(file, ".."), { recursive: true });
    await Deno.writeTextFile(file, "{}");
  };
  try {
    const of = (name: string) => findModelFolder(join(folder, name));
    await write("run", "config.json");
    await write("run", "environment.json");
    const withoutModel = (reason: string) => ({
      name: "NotFound",
      message: `Cannot open model: run ${folder}/run does not contain model/config.json. ${reason}`,
    });
    await rejects(
      () => of("run"),
      withoutModel(
        `It has not finished: continue it with deno task train --resume ${folder}/run`,
      ),
    );
    await write("run", "summary.json");
    await rejects(() => of("run"), withoutModel("It was saved without its weights"));
    await write("run", "model", "config.json");
    strictEqual(await of("run"), join(folder, "run", "model"));
    strictEqual(await of("run/model"), join(folder, "run", "model"));
    await write("sentence", "modules.json");
    strictEqual(await of("sentence"), join(folder, "sentence"));
    await Deno.mkdir(join(folder, "empty"));
    const message = (name: string, reason: string) => ({
      message: `Cannot open model: ${folder}/${name} ${reason}`,
    });
    await rejects(
      () => of("empty"),
      message("empty", "is not the folder of a run and does not contain config.json"),
    );
    await rejects(
      () => of("none"),
      message("none", "does not exist and is not the name of a repository on the Hub"),
    );
    const here = Deno.cwd();
    Deno.chdir(folder);
    try { // a local folder takes precedence over a repository of the same name
      for (
        const name of ["sentence", "run/model", "./other", "../other", "a/b/c", folder, "C:\\a"]
      ) {
        strictEqual(await isHubName(name), false, name);
      }
      strictEqual(await isHubName("owner/name"), true);
      strictEqual(await isHubName("run/other"), false); // its parent folder exists
    } finally {
      Deno.chdir(here);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("findModelFolder() fetches the graph of a repository without weights", async () => {
  const bytes = new TextEncoder().encode("{}");
  const graphs = { "onnx/model_quantized.onnx": bytes, "onnx/model_fp16.onnx": bytes };
  const files = { "config.json": bytes, "tokenizer.json": bytes, ...graphs };
  const places = [
    { id: "models/owner/graph", revision: "main", files: { ...files, "heads.json": bytes } },
    { id: "models/owner/another", revision: "main", files }, // not written by this project
  ];
  await withFakeHub(places, async (hub) => {
    const folder = await findModelFolder("owner/graph", { settings: hub.settings });
    strictEqual(await findGraphWithoutWeights(folder), "onnx/model_fp16.onnx"); // the more precise one
    await rejects(
      () => findModelFolder("owner/another", { settings: hub.settings }),
      /Cannot load model: Hub repository owner\/another does not contain model\.safetensors/,
    );
  });
});

Deno.test("findModelFolder() fetches a name from the Hub if there is no such folder", async () => {
  const bytes = new TextEncoder().encode("{}");
  const files = { "config.json": bytes, "tokenizer.json": bytes, "model.safetensors": bytes };
  await withFakeHub([{ id: "models/owner/tiny", revision: "main", files }], async (hub) => {
    const folder = await findModelFolder("owner/tiny", { settings: hub.settings });
    strictEqual(folder, join(hub.settings.cacheDir, "models--owner--tiny", "snapshots", COMMIT));
    strictEqual(await Deno.readTextFile(join(folder, "model.safetensors")), "{}");
    hub.requests.length = 0;
    // a missing subfolder of a local folder is not the name of a repository
    await rejects(() => findModelFolder("lib/none", { settings: hub.settings }), {
      message:
        "Cannot open model: lib/none does not exist and is not the name of a repository on the Hub",
    });
    strictEqual(hub.requests.length, 0);
    await rejects(
      () => findModelFolder("owner/none", { settings: hub.settings }),
      /^Error: There is no folder owner\/none, and it cannot be loaded from the Hub: Cannot fetch model owner\/none/,
    );
  });
});
