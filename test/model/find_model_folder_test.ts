import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { downloadModel, findModelFolder, isHubName } from "@/model/find_model_folder.ts";
import { findGraphWithoutWeights } from "@/model/save_onnx.ts";
import { COMMIT, withFakeHub } from "../data/hub_server.ts";
import { isFile } from "@/system/files.ts";

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

/** Downloads from a repository with the given files. Returns the requested names and the result. */
async function download(files: { readonly [name: string]: unknown }) {
  const repository = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      await Deno.mkdir(join(repository, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(repository, name), JSON.stringify(content));
    }
    const found: string[] = [];
    const folder = await downloadModel("owner/name", async (name) => {
      const path = join(repository, name);
      if (!await isFile(path)) return null;
      found.push(name);
      return path;
    });
    strictEqual(folder, repository);
    return [...new Set(found)].sort();
  } finally {
    await Deno.remove(repository, { recursive: true });
  }
}

Deno.test("downloadModel() fetches the files of a plain checkpoint and no others", async () => {
  const found = await download({
    "config.json": {},
    "model.safetensors": {},
    "pytorch_model.bin": {},
    "README.md": {},
    "tokenizer.json": {},
    "tokenizer_config.json": {},
  });
  const wanted = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
  deepStrictEqual(found, wanted);
});

Deno.test("downloadModel() fetches the modules of sentence-transformers and task heads", async () => {
  const files = {
    "1_Pooling/config.json": {},
    "2_Dense/config.json": {},
    "2_Dense/model.safetensors": {},
    "config.json": {},
    "config_sentence_transformers.json": {},
    "heads.json": {},
    "heads.safetensors": {},
    "model.safetensors": {},
    "modules.json": ["", "1_Pooling", "2_Dense", "3_Normalize", "../x"].map((path) => ({ path })),
    "sentence_bert_config.json": {},
    "tokenizer.json": {},
  };
  deepStrictEqual(await download(files), Object.keys(files));
});

Deno.test("downloadModel() fetches text settings under their old names, up to the first non-empty file", async () => {
  const files = {
    "1_Pooling/config.json": {},
    "config.json": {},
    "config_sentence_transformers.json": { prompts: {} },
    "model.safetensors": {},
    "modules.json": [
      { path: "", type: "sentence_transformers.models.Transformer" },
      { path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
    ],
    "sentence_bert_config.json": {},
    "sentence_roberta_config.json": { do_lower_case: true },
    "tokenizer.json": {},
  };
  const more = { ...files, "sentence_xlnet_config.json": { max_seq_length: 5 } };
  deepStrictEqual(await download(more), Object.keys(files));
});

Deno.test("downloadModel() fetches no weights of an unsupported module", async () => {
  const files = {
    "1_CNN/config.json": {},
    "config.json": {},
    "model.safetensors": {},
    "modules.json": [{ path: "" }, { path: "1_CNN", type: "sentence_transformers.models.CNN" }],
    "tokenizer.json": {},
  };
  deepStrictEqual(await download(files), Object.keys(files));
});

Deno.test("downloadModel() fetches the shards listed in the index, but none outside the repository", async () => {
  const found = await download({
    "config.json": {},
    "model.safetensors.index.json": {
      weight_map: { a: "m-1.safetensors", b: "m-2.safetensors", c: "m-1.safetensors", d: "/etc/x" },
    },
    "m-1.safetensors": {},
    "m-2.safetensors": {},
    "m-3.safetensors": {},
    "tokenizer.json": {},
  });
  deepStrictEqual(found, [
    "config.json",
    "m-1.safetensors",
    "m-2.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
  ]);
});

Deno.test("downloadModel() fetches an encoder in a subfolder, and vocab.txt if there is no tokenizer.json", async () => {
  const files = {
    "0_Transformer/config.json": {},
    "0_Transformer/model.safetensors": {},
    "0_Transformer/sentence_bert_config.json": {},
    "0_Transformer/vocab.txt": {},
    "1_Pooling/config.json": {},
    "modules.json": ["0_Transformer", "1_Pooling"].map((path) => ({ path })),
  };
  deepStrictEqual(await download(files), Object.keys(files));
});

Deno.test("downloadModel() looks for no weights beside a config.json that does not belong to the encoder", async () => {
  const files = {
    "0_Transformer/config.json": {},
    "0_Transformer/model.safetensors": {},
    "0_Transformer/sentence_bert_config.json": { max_seq_length: 128 },
    "0_Transformer/tokenizer.json": {},
    "1_Pooling/config.json": {},
    "config.json": { __version__: "0.3.8" }, // as written by the first versions of sentence-transformers
    "config_sentence_transformers.json": {},
    "modules.json": ["0_Transformer", "1_Pooling"].map((path) => ({ path })),
  };
  deepStrictEqual(await download(files), Object.keys(files));
});

Deno.test("downloadModel() fetches the prompts of an exported graph", async () => {
  const files = {
    "config.json": {},
    "config_sentence_transformers.json": { prompts: {} },
    "heads.json": {},
    "onnx/model.onnx": {},
    "tokenizer.json": {},
  };
  deepStrictEqual(await download(files), Object.keys(files));
});

Deno.test("downloadModel() says how to convert pickled weights", async () => {
  const files = { "config.json": {}, "pytorch_model.bin": {}, "vocab.txt": {} };
  await rejects(download(files), {
    name: "NotFound",
    message:
      "Cannot load model: Hub repository owner/name does not contain model.safetensors. Old " +
      "repositories have only pytorch_model.bin, a pickled object that can execute code when it is read. Save it " +
      "again with save_pretrained(…, safe_serialization=True) and pass the folder",
  });
});

Deno.test("downloadModel() reports a repository without a model", async () => {
  await rejects(downloadModel("owner/name", () => Promise.resolve(null)), {
    name: "NotFound",
    message: "Cannot load model: Hub repository owner/name does not contain config.json",
  });
});
