import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { readHubSettings } from "@/data/hub_settings.ts";

/** Calls `use` with these environment variables and puts the old ones back. */
function withEnvironment(values: Readonly<Record<string, string | null>>, use: () => void): void {
  const old = Object.keys(values).map((name) => [name, Deno.env.get(name)] as const);
  const set = (name: string, value: string | null | undefined) =>
    value == null ? Deno.env.delete(name) : Deno.env.set(name, value);
  try {
    for (const [name, value] of Object.entries(values)) set(name, value);
    use();
  } finally {
    for (const [name, value] of old) set(name, value);
  }
}

Deno.test("readHubSettings() heeds the variables that the Hub's tools share", () => {
  const none = {
    HF_HOME: null,
    HF_HUB_CACHE: null,
    HUGGINGFACE_HUB_CACHE: null,
    HF_TOKEN: null,
    HF_TOKEN_PATH: "/nowhere/token",
    HF_ENDPOINT: null,
    HF_HUB_OFFLINE: null,
  };
  withEnvironment(none, () => {
    const { endpoint, token, offline } = readHubSettings();
    deepStrictEqual({ endpoint, token, offline }, {
      endpoint: "https://huggingface.co",
      token: null,
      offline: false,
    });
  });
  withEnvironment({ ...none, HF_HOME: "/h", HF_TOKEN: "hf_x", HF_HUB_OFFLINE: "1" }, () => {
    const { cacheDir, token, offline } = readHubSettings();
    deepStrictEqual({ cacheDir, token, offline }, {
      cacheDir: "/h/hub",
      token: "hf_x",
      offline: true,
    });
  });
  withEnvironment({ ...none, HF_HUB_CACHE: "/c", HF_ENDPOINT: "http://mirror/" }, () => {
    const { cacheDir, endpoint } = readHubSettings();
    deepStrictEqual({ cacheDir, endpoint }, { cacheDir: "/c", endpoint: "http://mirror" });
  });
  withEnvironment({ ...none, HF_TOKEN: "secret" }, () => {
    throws(() => readHubSettings(), {
      name: "TypeError",
      message: 'Cannot use the Hub as HF_TOKEN must start with "hf_": its start is another',
    });
  });
});

Deno.test("readHubSettings() finds the token where the Hub's own tools keep it", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "token");
  const none = { HF_TOKEN: null, HF_TOKEN_PATH: null, HF_HOME: folder };
  try {
    withEnvironment(none, () => strictEqual(readHubSettings().token, null));
    await Deno.writeTextFile(path, "hf_kept\n");
    withEnvironment(none, () => strictEqual(readHubSettings().token, "hf_kept"));
    withEnvironment({ ...none, HF_TOKEN: "hf_given" }, () => {
      strictEqual(readHubSettings().token, "hf_given");
    });
    withEnvironment({ ...none, HF_HOME: "/nowhere", HF_TOKEN_PATH: path }, () => {
      strictEqual(readHubSettings().token, "hf_kept");
    });
    await Deno.writeTextFile(path, "secret");
    withEnvironment(none, () => {
      throws(() => readHubSettings(), {
        name: "TypeError",
        message:
          `Cannot use the Hub as the token in ${path} must start with "hf_": its start is another`,
      });
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
