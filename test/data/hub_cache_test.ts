import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { linkBlob } from "@/data/hub_cache.ts";
import { openHubRepo } from "@/data/hub_files.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import type { Progress } from "@/progress.ts";
import { withFolder } from "./fixtures.ts";
import { COMMIT, type FakeRepo, sha256, withFakeHub } from "./hub_server.ts";

const SMALL = new TextEncoder().encode('{"hidden_size": 8}');
const LARGE = Uint8Array.from({ length: 50_000 }, (_, index) => index % 251);
const MODEL: FakeRepo = {
  id: "models/owner/tiny",
  revision: "main",
  files: { "config.json": SMALL, "model.safetensors": LARGE },
};
const TINY = { repo: "owner/tiny", kind: "model" } as const;
const OLD_COMMIT = "fedcba9876543210fedcba9876543210fedcba98";

/** Sends `LARGE` in ten parts, one every 30 ms. */
function sendSlowly(): Response {
  return new Response(
    new ReadableStream({
      async start(controller) {
        for (let at = 0; at < LARGE.length; at += LARGE.length / 10) {
          await new Promise((resolve) => setTimeout(resolve, 30));
          controller.enqueue(LARGE.subarray(at, at + LARGE.length / 10));
        }
        controller.close();
      },
    }),
  );
}

/** Output of a separate process that downloads `path`. */
async function fetchApart(
  { endpoint, cacheDir }: HubSettings,
  path: string,
  permissions = ["-A"],
): Promise<string> {
  const program = join(import.meta.dirname ?? "", "fetch_program.ts");
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--no-check",
      "--no-prompt",
      ...permissions,
      program,
      endpoint,
      cacheDir,
      path,
    ],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return text(stdout) || text(stderr);
}

const namesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

Deno.test("openHubRepo() reads a complete read-only cache with the current or an older commit", async () => {
  await withFakeHub([MODEL], async ({ settings }) => {
    const reading = ["--allow-read", "--allow-net", "--allow-env", "--allow-sys", "--allow-ffi"];
    const pointer = await openHubRepo({ ...TINY, settings }).fetch("config.json") ?? "";
    const repository = join(settings.cacheDir, "models--owner--tiny");
    const main = join(repository, "refs", "main");
    strictEqual(await fetchApart(settings, "config.json", reading), pointer);
    await Deno.remove(main); // as after a download by commit, which records no branch
    strictEqual(await fetchApart(settings, "config.json", reading), pointer);
    await Deno.rename(
      join(repository, "snapshots", COMMIT),
      join(repository, "snapshots", OLD_COMMIT),
    );
    await Deno.writeTextFile(main, OLD_COMMIT);
    const old = pointer.replace(COMMIT, OLD_COMMIT);
    strictEqual(await fetchApart(settings, "config.json", reading), old);
    strictEqual(
      await fetchApart(settings, "config.json"),
      pointer,
      "premise: there is a newer commit",
    );
  });
});

Deno.test("openHubRepo() reports an unwritable cache when a file must be downloaded", async () => {
  await withFakeHub([MODEL], async ({ settings }) => {
    const folder = join(settings.cacheDir, "models--owner--tiny");
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, "blobs"), ""); // a file instead of the folder
    await rejects(
      openHubRepo({ ...TINY, settings }).fetch("model.safetensors"),
      (error: Error) =>
        error.message.startsWith(
          `Cannot write ${join(folder, "blobs", sha256(LARGE))}: `,
        ),
    );
  });
});

Deno.test("openHubRepo() downloads a file once for several concurrent processes", async () => {
  await withFakeHub([MODEL], async ({ settings, faults, requests }) => {
    faults.push({ at: sha256(LARGE), do: sendSlowly });
    const apart = Array.from({ length: 3 }, () => fetchApart(settings, "model.safetensors"));
    const pointers = new Set(await Promise.all(apart));
    const folder = join(settings.cacheDir, "models--owner--tiny");
    const pointer = join(folder, "snapshots", COMMIT, "model.safetensors");
    deepStrictEqual([...pointers], [pointer]);
    deepStrictEqual(await Deno.readFile(pointer), LARGE);
    strictEqual(requests.filter((each) => each.startsWith("CDN")).length, 1);
    deepStrictEqual(await namesIn(join(folder, "blobs")), [sha256(LARGE)]);
  });
});

Deno.test("openHubRepo() waits for the lock of huggingface_hub and reports it", async () => {
  await withFakeHub([MODEL], async ({ settings, requests }) => {
    const locks = join(settings.cacheDir, ".locks", "models--owner--tiny");
    await Deno.mkdir(locks, { recursive: true });
    const other = await Deno.create(join(locks, `${sha256(LARGE)}.lock`));
    await other.lock(true);
    const shown: Progress[] = [];
    const waits = Promise.withResolvers<void>();
    const view = {
      update(progress: Progress) {
        shown.push(progress);
        waits.resolve();
      },
      finish() {},
    };
    const fetched = openHubRepo({ ...TINY, settings, view }).fetch("model.safetensors");
    await waits.promise;
    const label =
      "model.safetensors of model owner/tiny: waiting for another process that downloads it";
    deepStrictEqual(shown, [{ label, done: 0, total: 1 }]);
    ok(!requests.some((each) => each.startsWith("CDN")));
    other.close();
    deepStrictEqual(await Deno.readFile(await fetched ?? ""), LARGE);
  });
});

Deno.test("openHubRepo() uses separate partial files if files cannot be locked", async () => {
  await withFakeHub([MODEL], async ({ settings, faults }) => {
    await Deno.writeTextFile(join(settings.cacheDir, ".locks"), ""); // a file instead of the folder
    const folder = join(settings.cacheDir, "models--owner--tiny");
    const blobs = join(folder, "blobs");
    faults.push({ at: sha256(LARGE), do: sendSlowly }, { at: sha256(LARGE), do: sendSlowly });
    const fetchOne = () => openHubRepo({ ...TINY, settings }).fetch("model.safetensors");
    for (const pointer of await Promise.all([fetchOne(), fetchOne()])) {
      deepStrictEqual(await Deno.readFile(pointer ?? ""), LARGE);
    }
    deepStrictEqual(await namesIn(blobs), [sha256(LARGE)]);
    deepStrictEqual(await namesIn(join(folder, "snapshots", COMMIT)), ["model.safetensors"]);
    // after a failure no partial file remains, since no other process could resume it
    await Deno.remove(join(blobs, sha256(LARGE)));
    faults.push({ at: sha256(LARGE), do: 418 });
    await rejects(fetchOne());
    deepStrictEqual(await namesIn(blobs), []);
  });
});

Deno.test("openHubRepo() downloads damaged partial files and blobs again", async () => {
  await withFakeHub([MODEL], async ({ settings, cdnRanges }) => {
    const blob = join(settings.cacheDir, "models--owner--tiny", "blobs", sha256(LARGE));
    await Deno.mkdir(join(blob, ".."), { recursive: true });
    const zeros = (length: number) => new Uint8Array(length);
    const left = [["", 100], ["", LARGE.length], [".incomplete", 100], [
      ".incomplete",
      50_000,
    ]] as const;
    for (const [ending, length] of left) {
      await Deno.writeFile(blob + ending, zeros(length));
      const path = await openHubRepo({ ...TINY, settings }).fetch("model.safetensors");
      deepStrictEqual(await Deno.readFile(path ?? ""), LARGE);
      deepStrictEqual(await namesIn(join(blob, "..")), [sha256(LARGE)]);
      await Deno.remove(path ?? "");
      await Deno.remove(blob);
    }
    deepStrictEqual(cdnRanges, [null, null, "bytes=100-", null, null]);
  });
});

Deno.test("openHubRepo() rejects content with a wrong hash or size", async () => {
  await withFakeHub([MODEL], async ({ settings, faults }) => {
    faults.push({ at: sha256(LARGE), do: () => new Response(LARGE.toReversed()) });
    const repo = openHubRepo({ ...TINY, settings });
    await rejects(() => repo.fetch("model.safetensors"), {
      message: "Cannot fetch model.safetensors of model owner/tiny: the 50000 bytes received do " +
        `not match the Hub's hash ${
          sha256(LARGE)
        }. Try again; if the error persists, check your proxy`,
    });
    deepStrictEqual(await namesIn(join(settings.cacheDir, "models--owner--tiny", "blobs")), []);
    faults.push({ at: sha256(LARGE), do: () => new Response(new Uint8Array(LARGE.length + 1)) });
    await rejects(() => repo.fetch("model.safetensors"), /do not match the Hub's hash/);
  });
});

Deno.test("openHubRepo() removes partial files after a week without writes", async () => {
  await withFakeHub([MODEL], async ({ settings }) => {
    const blobs = join(settings.cacheDir, "models--owner--tiny", "blobs");
    await Deno.mkdir(blobs, { recursive: true });
    const now = Date.now();
    for (const [name, days] of [["old", 8], ["young", 6]] as const) {
      await Deno.writeTextFile(join(blobs, `${name}.incomplete`), "");
      const then = new Date(now - days * 24 * 3600 * 1000);
      await Deno.utime(join(blobs, `${name}.incomplete`), then, then);
    }
    await openHubRepo({ ...TINY, settings }).fetch("model.safetensors");
    deepStrictEqual(await namesIn(blobs), [sha256(LARGE), "young.incomplete"].sort());
  });
});

Deno.test("linkBlob() works concurrently, replaces wrong links, and copies if links are not supported", async () => {
  await withFolder(async (folder) => {
    const blob = join(folder, "blobs", "c0ffee");
    await Deno.mkdir(join(folder, "blobs"));
    await Deno.writeTextFile(blob, "content");
    const snapshot = join(folder, "snapshots", "x");
    const at = (name: string) => join(snapshot, name);
    await Promise.all(Array.from({ length: 20 }, () => linkBlob(blob, at("a.json"))));
    strictEqual(await Deno.readLink(at("a.json")), "../../blobs/c0ffee");
    await Deno.symlink("nowhere", at("b.json"));
    await linkBlob(blob, at("b.json"));
    strictEqual(await Deno.readLink(at("b.json")), "../../blobs/c0ffee");
    await Deno.writeTextFile(blob + "2", "other");
    await linkBlob(blob + "2", at("b.json"));
    strictEqual(await Deno.readTextFile(at("b.json")), "other");
    const { symlink } = Deno;
    Deno.symlink = () => Promise.reject(new Deno.errors.NotSupported("no links here"));
    try {
      await Promise.all([linkBlob(blob, at("c.json")), linkBlob(blob, at("c.json"))]);
    } finally {
      Deno.symlink = symlink;
    }
    strictEqual((await Deno.lstat(at("c.json"))).isSymlink, false);
    strictEqual(await Deno.readTextFile(at("c.json")), "content");
    deepStrictEqual(await namesIn(snapshot), ["a.json", "b.json", "c.json"]);
  });
});
