import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { readHubSettings } from "@/data/hub_settings.ts";

/** Calls `use` with these environment variables and restores the old values afterwards. */
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

Deno.test("readHubSettings() reads the variables that the Hub's tools share", () => {
  const none = {
    HF_HOME: null,
    HF_HUB_CACHE: null,
    HUGGINGFACE_HUB_CACHE: null,
    HF_TOKEN: null,
    HF_TOKEN_PATH: "/nowhere/token",
    HF_ENDPOINT: null,
    HF_HUB_OFFLINE: null,
    HF_HUB_DISABLE_IMPLICIT_TOKEN: null,
    XDG_CACHE_HOME: null,
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
  withEnvironment({ ...none, HF_HOME: " ", XDG_CACHE_HOME: "/x", HF_TOKEN: "" }, () => {
    const { cacheDir, token } = readHubSettings();
    deepStrictEqual({ cacheDir, token }, { cacheDir: "/x/huggingface/hub", token: null });
  });
  withEnvironment({ ...none, HF_HUB_CACHE: "~/hub" }, () => {
    strictEqual(readHubSettings().cacheDir, join(homedir(), "hub"));
  });
  withEnvironment({ ...none, HF_TOKEN: "hf_x", HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }, () => {
    strictEqual(readHubSettings().token, null);
  });
});

Deno.test("readHubSettings() accepts any token that is valid in an HTTP header, cleaned as in Python", () => {
  for (
    const [given, token] of [["s3cr.et", "s3cr.et"], [" hf_x\r\n", "hf_x"], ["a\nb", "ab"]] as const
  ) {
    withEnvironment({ HF_TOKEN: given }, () => strictEqual(readHubSettings().token, token));
  }
  for (const given of ["two words", "sch\u00fcssel"]) {
    withEnvironment({ HF_TOKEN: given }, () => {
      throws(() => readHubSettings(), {
        name: "TypeError",
        message:
          "Cannot use the Hub: HF_TOKEN contains a space, a control character or a character " +
          "outside ASCII; copy the token again",
      });
    });
  }
});

Deno.test("readHubSettings() keeps the path of HF_ENDPOINT and rejects invalid URLs", () => {
  for (const given of ["https://mirror:8443/hf/", "https://mirror:8443/hf///"]) {
    withEnvironment({ HF_ENDPOINT: given }, () => {
      strictEqual(readHubSettings().endpoint, "https://mirror:8443/hf");
    });
  }
  for (const given of ["mirror", "localhost:8080", "ftp://mirror", "http://mirror?x=1"]) {
    withEnvironment({ HF_ENDPOINT: given }, () => {
      throws(() => readHubSettings(), {
        name: "TypeError",
        message: "Cannot use the Hub: HF_ENDPOINT must be an http or https address such as " +
          `https://huggingface.co, but is ${given}`,
      });
    });
  }
  withEnvironment({ HF_ENDPOINT: "https://me:secret@mirror" }, () => {
    throws(
      () => readHubSettings(),
      (error) => error instanceof TypeError && !error.message.includes("secret"),
    );
  });
});

Deno.test("readHubSettings() finds the token where the Hub's own tools store it", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "token");
  const none = {
    HF_TOKEN: null,
    HF_TOKEN_PATH: null,
    HF_HOME: folder,
    HF_HUB_DISABLE_IMPLICIT_TOKEN: null,
  };
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
    await Deno.writeTextFile(path, "s3cr.et\n");
    withEnvironment(none, () => strictEqual(readHubSettings().token, "s3cr.et"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
