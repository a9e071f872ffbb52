import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { openHubRepo } from "@/data/hub_files.ts";
import type { Progress } from "@/progress.ts";
import { COMMIT, type FakeRepo, gitSha1, sha256, withFakeHub } from "./hub_server.ts";

const SMALL = new TextEncoder().encode('{"hidden_size": 8}');
const LARGE = Uint8Array.from({ length: 50_000 }, (_, index) => index % 251);
const MODEL: FakeRepo = {
  id: "models/owner/tiny",
  revision: "main",
  files: { "config.json": SMALL, "model.safetensors": LARGE, "1_Pooling/config.json": SMALL },
};
const TINY = { repo: "owner/tiny", kind: "model" } as const;

Deno.test("openHubRepo() downloads into the Hub's cache layout, large files through a redirect", async () => {
  await withFakeHub([MODEL], async ({ settings, requests }) => {
    const repo = openHubRepo({ ...TINY, settings });
    const config = await repo.fetch("config.json");
    const weights = await repo.fetch("model.safetensors");
    const folder = join(settings.cacheDir, "models--owner--tiny");
    strictEqual(config, join(folder, "snapshots", COMMIT, "config.json"));
    strictEqual(weights, join(folder, "snapshots", COMMIT, "model.safetensors"));
    deepStrictEqual(await Deno.readFile(config), SMALL);
    deepStrictEqual(await Deno.readFile(weights), LARGE);
    // the layout of huggingface_hub: blobs named by git's SHA-1 or SHA-256, relative links, the branch
    strictEqual(await Deno.readLink(config), `../../blobs/${gitSha1(SMALL)}`);
    strictEqual(await Deno.readLink(weights), `../../blobs/${sha256(LARGE)}`);
    strictEqual(await Deno.readTextFile(join(folder, "refs", "main")), COMMIT);
    ok(requests.includes(`CDN /${sha256(LARGE)}`), "the redirect was followed");

    const pooling = await repo.fetch("1_Pooling/config.json");
    strictEqual(pooling, join(folder, "snapshots", COMMIT, "1_Pooling", "config.json"));
    strictEqual(await Deno.readLink(pooling), `../../../blobs/${gitSha1(SMALL)}`);
    strictEqual(await repo.fetch("pytorch_model.bin"), null);
    deepStrictEqual(await repo.list(), [
      "1_Pooling/config.json",
      "config.json",
      "model.safetensors",
    ]);
    strictEqual(await repo.commit(), COMMIT);
  });
});

Deno.test("openHubRepo() requests only the commit if the file is cached", async () => {
  await withFakeHub([MODEL], async ({ settings, requests }) => {
    await openHubRepo({ ...TINY, settings }).fetch("model.safetensors");
    requests.length = 0;
    ok(await openHubRepo({ ...TINY, settings }).fetch("model.safetensors"));
    deepStrictEqual(requests, ["GET /api/models/owner/tiny/revision/main"]);
    requests.length = 0;
    ok(await openHubRepo({ ...TINY, revision: COMMIT, settings }).fetch("model.safetensors"));
    deepStrictEqual(requests, []);
  });
});

Deno.test("openHubRepo() follows the redirect of a renamed repository", async () => {
  const data = { ...MODEL, id: "datasets/owner/tiny" };
  await withFakeHub([data], async ({ settings }) => {
    const repo = openHubRepo({ repo: "moved/tiny", kind: "dataset", settings });
    const path = await repo.fetch("config.json");
    deepStrictEqual(await Deno.readFile(path ?? ""), SMALL);
  });
});

Deno.test("openHubRepo() advises setting HF_TOKEN when access is denied, and uses the token", async () => {
  await withFakeHub([{ ...MODEL, token: "hf_right" }], async (hub) => {
    const { settings, requests, cdnAuthorizations } = hub;
    await rejects(() => openHubRepo({ ...TINY, settings }).fetch("config.json"), {
      name: "PermissionDenied",
      message:
        `Cannot fetch model owner/tiny: ${settings.endpoint} returned status 401. Check the name; for a private repository, set HF_TOKEN to a token with read access`,
    });
    strictEqual(requests.length, 1, "a denied request is not repeated");
    const wrong = { ...settings, token: "hf_wrong" };
    await rejects(() => openHubRepo({ ...TINY, settings: wrong }).fetch("config.json"), {
      message:
        `Cannot fetch model owner/tiny: ${settings.endpoint} returned status 401. Check the name, and that the token in use (HF_TOKEN, else that of \`hf auth login\`) is valid and has read access`,
    });
    const right = { ...settings, token: "hf_right" };
    ok(await openHubRepo({ ...TINY, settings: right }).fetch("model.safetensors"));
    deepStrictEqual(cdnAuthorizations, [null], "the token stays with the Hub");
  });
});

Deno.test("openHubRepo() reports a missing revision", async () => {
  await withFakeHub([MODEL], async ({ settings }) => {
    await rejects(() => openHubRepo({ ...TINY, revision: "v9", settings }).fetch("config.json"), {
      name: "NotFound",
      message:
        `Cannot fetch model owner/tiny at v9: ${settings.endpoint} returned status 404: the repository has no such revision`,
    });
  });
});

Deno.test("openHubRepo() retries after 5xx and 429 at every endpoint", async () => {
  await withFakeHub([MODEL], async ({ settings, faults, requests }) => {
    faults.push({ at: "/revision/", do: 503 }, { at: "/paths-info/", do: 429 });
    faults.push({ at: "/tree/", do: 500 }, { at: "/resolve/", do: 502 });
    faults.push({ at: sha256(LARGE), do: 504 });
    const repo = openHubRepo({ ...TINY, settings });
    deepStrictEqual(await Deno.readFile(await repo.fetch("model.safetensors") ?? ""), LARGE);
    strictEqual((await repo.list()).length, 3);
    deepStrictEqual(faults, []);
    strictEqual(requests.filter((request) => request.startsWith("CDN")).length, 2);
  });
});

Deno.test("openHubRepo() gives up after the last retry and reports the failure", async () => {
  await withFakeHub([MODEL], async ({ settings, faults, requests }) => {
    for (let i = 0; i < 4; i++) faults.push({ at: "/revision/", do: 500 });
    await rejects(() => openHubRepo({ ...TINY, settings }).fetch("config.json"), {
      name: "HubUnreachableError",
      message:
        `Cannot fetch model owner/tiny: ${settings.endpoint} failed in 4 attempts, most recently with status 500`,
    });
    strictEqual(requests.length, 4);
  });
});

Deno.test("openHubRepo() resumes a download after a broken connection", async () => {
  await withFakeHub([MODEL], async ({ settings, faults, cdnRanges }) => {
    faults.push({ at: sha256(LARGE), do: "cut" }, { at: sha256(LARGE), do: "cut" });
    const path = await openHubRepo({ ...TINY, settings }).fetch("model.safetensors");
    deepStrictEqual(await Deno.readFile(path ?? ""), LARGE);
    deepStrictEqual(cdnRanges, [null, "bytes=25000-", "bytes=37500-"]);
  });
});

Deno.test("openHubRepo() resumes a download that has stalled", async () => {
  await withFakeHub([MODEL], async ({ settings, faults, cdnRanges }) => {
    faults.push({ at: sha256(LARGE), do: "stall" });
    const hasty = { ...settings, silenceTimeoutMs: 200 };
    const path = await openHubRepo({ ...TINY, settings: hasty }).fetch("model.safetensors");
    deepStrictEqual(await Deno.readFile(path ?? ""), LARGE);
    deepStrictEqual(cdnRanges, [null, "bytes=25000-"]);
  });
});

Deno.test("openHubRepo() reports progress in MiB for large files only", async () => {
  const bytes = new Uint8Array(2.5 * 2 ** 20);
  const files = { ...MODEL.files, "model.safetensors": bytes };
  await withFakeHub([{ ...MODEL, files }], async ({ settings }) => {
    const shown: Progress[] = [];
    const view = { update: (progress: Progress) => void shown.push(progress), finish() {} };
    const repo = openHubRepo({ ...TINY, settings, view });
    await repo.fetch("config.json");
    deepStrictEqual(shown, []);
    await repo.fetch("model.safetensors");
    const label = "fetch model.safetensors of model owner/tiny, MiB";
    deepStrictEqual(shown.at(-1), { label, done: 3, total: 3 }); // 2.5 MiB
    ok(shown.some(({ done }) => done === 1), "it was shown on the way");
  });
});

Deno.test("openHubRepo() uses only the cache when offline", async () => {
  await withFakeHub([MODEL], async ({ settings, requests }) => {
    const offline = { ...settings, offline: true };
    await rejects(() => openHubRepo({ ...TINY, settings: offline }).fetch("config.json"), {
      name: "NotFound",
      message:
        `Cannot fetch model owner/tiny: HF_HUB_OFFLINE is set, and the cache has no files of it in ${
          join(settings.cacheDir, "models--owner--tiny")
        }`,
    });
    deepStrictEqual(requests, []);
    await openHubRepo({ ...TINY, settings }).fetch("config.json");
    requests.length = 0;
    const repo = openHubRepo({ ...TINY, settings: offline });
    deepStrictEqual(await Deno.readFile(await repo.fetch("config.json") ?? ""), SMALL);
    strictEqual(await repo.fetch("model.safetensors"), null);
    deepStrictEqual(await repo.list(), ["config.json"]);
    deepStrictEqual(requests, []);
  });
});

Deno.test("openHubRepo() falls back to the cache when the Hub is unreachable", async () => {
  await withFakeHub([MODEL], async ({ settings }) => {
    const down = { ...settings, endpoint: "http://127.0.0.1:9" }; // the discard port, where no server listens
    await rejects(() => openHubRepo({ ...TINY, settings: down }).fetch("config.json"), {
      name: "HubUnreachableError",
      message:
        /^Cannot fetch model owner\/tiny: http:\/\/127\.0\.0\.1:9 failed in 4 attempts, most recently with /,
    });
    await openHubRepo({ ...TINY, settings }).fetch("config.json");
    const shown: string[] = [];
    const view = { update: ({ label }: Progress) => void shown.push(label), finish() {} };
    const path = await openHubRepo({ ...TINY, settings: down, view }).fetch("config.json");
    deepStrictEqual(await Deno.readFile(path ?? ""), SMALL);
    strictEqual(shown.length, 1);
    ok(shown[0]?.endsWith(". Using the cached version of model owner/tiny"), shown.join());
  });
});

Deno.test("openHubRepo() rejects names and paths outside the repository", async () => {
  await withFakeHub([MODEL], async ({ settings }) => {
    throws(() => openHubRepo({ repo: "../x", kind: "model", settings }), {
      name: "RangeError",
      message: 'Cannot use the Hub: "../x" is not the name of a repository; write owner/name',
    });
    await rejects(() => openHubRepo({ ...TINY, settings }).fetch("../../refs/main"), {
      name: "RangeError",
      message:
        'Cannot fetch "../../refs/main" from model owner/tiny: the path leads outside the repository',
    });
  });
});
