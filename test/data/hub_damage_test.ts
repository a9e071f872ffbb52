import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { openHubRepo } from "@/data/hub_files.ts";
import { COMMIT, type FakeRepo, gitSha1, withFakeHub } from "./hub_server.ts";

const SMALL = new TextEncoder().encode('{"hidden_size": 8}');
const LARGE = Uint8Array.from({ length: 50_000 }, (_, index) => index % 251);
const MODEL: FakeRepo = {
  id: "models/owner/tiny",
  revision: "main",
  files: { "config.json": SMALL, "model.safetensors": LARGE },
};
const TINY = { repo: "owner/tiny", kind: "model" } as const;

Deno.test("openHubRepo() downloads damaged cached files again, and rejects them if the Hub is unreachable", async () => {
  await withFakeHub([MODEL], async ({ settings, requests }) => {
    for (const [name, content] of [["config.json", SMALL], ["model.safetensors", LARGE]] as const) {
      const path = await openHubRepo({ ...TINY, settings }).fetch(name) ?? "";
      for (const damaged of [content.slice(0, 7), content.map((byte) => byte ^ 1)]) {
        await Deno.writeFile(path, damaged);
        const unreachable = { ...settings, endpoint: "http://127.0.0.1:9", retryDelaysMs: [] };
        for (const without of [{ ...settings, offline: true }, unreachable]) {
          await rejects(openHubRepo({ ...TINY, settings: without }).fetch(name), {
            message:
              `Cannot use ${name} of model owner/tiny: its copy in the cache is damaged (its ` +
              `hash differs). Download it again while the Hub is reachable, or remove ${path}`,
          });
        }
        strictEqual(await openHubRepo({ ...TINY, settings }).fetch(name), path);
        deepStrictEqual(await Deno.readFile(path), content);
      }
    }
    const folder = join(settings.cacheDir, "models--owner--tiny");
    const offline = () => openHubRepo({ ...TINY, settings: { ...settings, offline: true } });
    ok(await offline().fetch("config.json"), "premise: it is there");
    // a dangling link counts as missing, and a branch without a commit as unknown
    await Deno.remove(join(folder, "blobs", gitSha1(SMALL)));
    strictEqual(await offline().fetch("config.json"), null);
    await Deno.writeTextFile(join(folder, "refs", "main"), "../../elsewhere");
    requests.length = 0;
    await rejects(offline().fetch("config.json"), {
      message: "Cannot fetch model owner/tiny: HF_HUB_OFFLINE is set, and the cache has no " +
        `commit for main: ${join(folder, "refs", "main")} must contain one of ${COMMIT}`,
    });
    deepStrictEqual(requests, []);
  });
});
