import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { checkRepoName, listFilesToPush, pushFiles } from "@/export/push_model.ts";
import { type PushServer, withPushServer } from "./push_server.ts";

const CARD = "# A model — with a card\n";
const WEIGHTS = new Uint8Array(70_000).map((_, i) => i % 251);

/** Runs `use` with a model folder that also contains files which must not be pushed. */
async function withModelFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const write = async (path: string, content: string | Uint8Array) => {
      await Deno.mkdir(join(folder, path, ".."), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(folder, path), bytes);
    };
    await write("config.json", '{"model_type":"bert"}');
    await write("model.safetensors", WEIGHTS);
    await write("onnx/model.onnx", WEIGHTS.toReversed());
    await write("1_Pooling/config.json", "{}");
    await write("README.md", "an older card");
    await write(".model.safetensors.1-2.partial", "half a file");
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Pushes the folder's files to `owner/tiny`. */
async function push(
  folder: string,
  { settings }: Pick<PushServer, "settings">,
  signal?: AbortSignal,
) {
  const files = await listFilesToPush(folder, CARD);
  return await pushFiles(
    files,
    { repo: "owner/tiny", isPrivate: true, settings },
    signal ? { signal } : {},
  );
}

const PATHS = [
  "1_Pooling/config.json",
  "README.md",
  "config.json",
  "model.safetensors",
  "onnx/model.onnx",
];

Deno.test("listFilesToPush() lists a model folder with its new card, without partially written files", async () => {
  await withModelFolder(async (folder) => {
    const files = await listFilesToPush(folder, CARD);
    deepStrictEqual(files.map(({ path }) => path), PATHS);
    const sizes = Object.fromEntries(files.map(({ path, bytes }) => [path, bytes]));
    strictEqual(sizes["README.md"], 26); // the dash has three bytes
    strictEqual(sizes["model.safetensors"], 70_000);
  });
});

Deno.test("pushFiles() creates the repository and publishes all files in one commit", async () => {
  await withModelFolder(async (folder) => {
    await withPushServer(async (server) => {
      deepStrictEqual(await push(folder, server), {
        url: "http://hub/commit/c0ffee",
        removed: [],
      });
      const seen = server.repos.get("owner/tiny") ?? new Map<string, Uint8Array>();
      deepStrictEqual([...seen.keys()].sort(), PATHS);
      deepStrictEqual([...seen.get("model.safetensors") ?? []], [...WEIGHTS]);
      strictEqual(new TextDecoder().decode(seen.get("README.md")), CARD);
      strictEqual(server.requests.filter((line) => line.includes("/commit/")).length, 1);
      ok(server.requests.at(-1)?.includes("/commit/"), "the commit is the last request");
      const [{ name, organization, visibility }] = server.creations as [Record<string, unknown>];
      deepStrictEqual({ name, organization, visibility }, {
        name: "tiny",
        organization: "owner",
        visibility: "private",
      });
      // a second push: the repository exists, and the Hub already has the large files
      const before = server.requests.length;
      await push(folder, server);
      ok(!server.requests.slice(before).some((line) => line.startsWith("PUT")));
    });
  });
});

Deno.test("pushFiles() leaves the repository unchanged when it is interrupted or rejected", async () => {
  await withModelFolder(async (folder) => {
    await withPushServer(async (server) => {
      await push(folder, server);
      await Deno.writeFile(join(folder, "model.safetensors"), WEIGHTS.map((x) => x ^ 1));
      await Deno.writeTextFile(join(folder, "config.json"), "{}");
      const unchanged = () => {
        const seen = server.repos.get("owner/tiny");
        deepStrictEqual([...seen?.get("model.safetensors") ?? []], [...WEIGHTS]);
        strictEqual(new TextDecoder().decode(seen?.get("config.json")), '{"model_type":"bert"}');
      };
      server.refusals.set("/lfs/", 500); // during the upload of the large file
      await rejects(
        push(folder, server),
        /^Error: Cannot push to owner\/tiny: the Hub rejected the push: /,
      );
      unchanged();
      server.refusals.clear();
      const abort = new AbortController();
      server.onUpload = () => abort.abort();
      await rejects(push(folder, server, abort.signal), {
        name: "Interrupted",
        message: "Push to owner/tiny was interrupted. Nothing was published",
      });
      unchanged();
      await push(folder, server); // reuses the uploaded file
      strictEqual(server.repos.get("owner/tiny")?.get("config.json")?.length, 2);
    });
  });
});

Deno.test("pushFiles() deletes files of an earlier push, and no others", async () => {
  await withModelFolder(async (folder) => {
    await withPushServer(async (server) => {
      await Deno.writeFile(join(folder, "onnx/model_quantized.onnx"), WEIGHTS);
      await push(folder, server);
      server.repos.get("owner/tiny")?.set("LICENSE", new Uint8Array(3)); // added by the repository's owner
      await Deno.remove(join(folder, "onnx/model_quantized.onnx"));
      const { removed } = await push(folder, server);
      deepStrictEqual(removed, ["onnx/model_quantized.onnx"]);
      const seen = [...server.repos.get("owner/tiny")?.keys() ?? []];
      deepStrictEqual(seen.sort(), ["LICENSE", ...PATHS].sort());
    });
  });
});

Deno.test("pushFiles() says that the outcome is unknown if the response to the commit is lost", async () => {
  await withModelFolder(async (folder) => {
    await withPushServer(async (server) => {
      server.refusals.set("/commit/", 504);
      await rejects(push(folder, server), {
        message: new RegExp(
          `The model may or may not have been published: see ${server.settings.endpoint}/owner/tiny$`,
        ),
      });
      strictEqual(server.repos.get("owner/tiny")?.size, PATHS.length, "premise: it was");
    });
  });
});

Deno.test("pushFiles() says what to do when it is rejected", async () => {
  await withModelFolder(async (folder) => {
    await withPushServer(async (server) => {
      const { endpoint } = server.settings;
      const expected = [
        [401, "/create", "the token is invalid; set HF_TOKEN or run `hf auth login`"],
        [403, "/create", "the token has no write permission"],
        [404, "/preupload", "its owner or branch does not exist"],
        [409, "/commit/", "somebody else has changed it in the meantime; push again"],
        [429, "/create", "the rate limit is exceeded"],
      ] as const;
      for (const [status, at, wanted] of expected) {
        server.refusals.set(at, status);
        await rejects(push(folder, server), {
          message:
            `Cannot push to owner/tiny: ${wanted} (status ${status} from ${endpoint}). Nothing was published` +
            (status === 429 ? "; push again in a few minutes" : ""),
        });
        server.refusals.clear();
      }
      strictEqual(server.repos.get("owner/tiny")?.size, 0);
      await rejects(push(folder, { settings: { ...server.settings, token: null } }), {
        name: "PermissionDenied",
        message:
          "Cannot push to owner/tiny: there is no token. Set HF_TOKEN to one with write permission, or run `hf auth login` and leave HF_HUB_DISABLE_IMPLICIT_TOKEN unset",
      });
    });
  });
});

Deno.test("pushFiles() reports that the Hub cannot be reached", async () => {
  await withModelFolder(async (folder) => {
    let closed = "";
    await withPushServer(({ settings }) => Promise.resolve(void (closed = settings.endpoint)));
    const settings = {
      endpoint: closed,
      token: "writer.of-this_hub",
      cacheDir: "",
      offline: false,
    };
    await rejects(
      push(folder, { settings: { ...settings, retryDelaysMs: [], silenceTimeoutMs: 1 } }),
      /^Error: Cannot push to owner\/tiny: cannot reach http:\/\/localhost:\d+: .*\. Nothing was published; push again$/,
    );
  });
});

Deno.test("checkRepoName() requires an owner and a name", () => {
  checkRepoName("owner/my-model.v2");
  for (const name of ["model", "a/b/c", "../x", "owner/", "own er/x"]) {
    throws(() => checkRepoName(name), {
      name: "RangeError",
      message: `Invalid repository name "${name}": it must have the form OWNER/NAME`,
    });
  }
});
