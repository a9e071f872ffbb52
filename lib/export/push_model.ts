/**
 * Uploads a model folder to the Hugging Face Hub. Large files are uploaded first, where readers do not see them. A
 * single commit then publishes everything, so an interrupted push leaves the repository unchanged. The same commit
 * deletes files of an earlier push that the folder no longer has, so that an old graph is not taken for the new model's.
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { commitIter, createRepo, HubApiError } from "@huggingface/hub";
import { askPaths } from "@/data/hub_api.ts";
import { createLibraryFetch, PLACEHOLDER_TOKEN } from "@/data/hub_send.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import { isPartial } from "@/system/files.ts";
import { type ProgressView, SILENT } from "@/progress.ts";

/** File to upload. */
type FileToPush = {
  /** Path in the repository. */
  readonly path: string;
  readonly bytes: number;
  /** URL of the file, or its content. */
  readonly content: URL | Uint8Array<ArrayBuffer>;
};

/** Destination of a push. */
type PushTarget = {
  /** `owner/name` */
  readonly repo: string;
  /** True if the repository is to be private; only applies if it is created. */
  readonly isPrivate: boolean;
  readonly settings: HubSettings;
};

/** Progress display and cancellation of a push. */
type PushOptions = { readonly view?: ProgressView; readonly signal?: AbortSignal };

/** Throws if the Hub does not allow the repository name. */
export function checkRepoName(repo: string): void {
  if (/^\w[\w.-]{0,95}\/\w[\w.-]{0,95}$/.test(repo)) return;
  throw new RangeError(
    `Invalid repository name ${JSON.stringify(repo)}: it must have the form OWNER/NAME`,
  );
}

/**
 * Lists the files of a model folder, sorted by path, with `card` in place of its README.md. Hidden and partially
 * written files are skipped.
 */
export async function listFilesToPush(
  folder: string,
  card: string,
): Promise<readonly FileToPush[]> {
  const files: FileToPush[] = [];
  const walk = async (place: string) => {
    for await (const { name, isFile, isDirectory } of Deno.readDir(join(folder, place))) {
      if (name.startsWith(".") || isPartial(name)) continue;
      const path = place === "" ? name : `${place}/${name}`;
      if (isDirectory) await walk(path);
      else if (isFile && path !== "README.md") {
        const full = join(folder, path);
        files.push({ path, bytes: (await Deno.stat(full)).size, content: pathToFileURL(full) });
      }
    }
  };
  await walk("");
  const content = new TextEncoder().encode(card);
  files.push({ path: "README.md", bytes: content.length, content });
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Matches files that an earlier push may have left: graphs, heads, and modules behind the encoder. */
const STALE_FILES = /^(onnx\/model\w*\.onnx|heads\.(json|safetensors)|\d+_[A-Z]\w*\/.+)$/;

/** Lists files in the repository from an earlier push that are not in `files`. */
async function listStaleFiles(
  files: readonly FileToPush[],
  { repo, settings }: PushTarget,
  view: ProgressView,
): Promise<readonly string[]> {
  const kept = new Set(files.map(({ path }) => path));
  const request = { settings, what: `the list of files of model ${repo}`, view };
  const paths = await askPaths(request, { repo, kind: "model", revision: "main" });
  return paths.filter((path) => STALE_FILES.test(path) && !kept.has(path));
}

/** Options that tell `@huggingface/hub` how to reach the Hub. */
function describeHub(settings: HubSettings, view: ProgressView) {
  const { endpoint: hubUrl } = settings;
  return {
    hubUrl,
    accessToken: PLACEHOLDER_TOKEN,
    fetch: createLibraryFetch(settings, view),
  } as const;
}

/** Translates an error of a push for the user. `committing` is true if the commit had already been sent. */
function explainRefusal(
  error: unknown,
  { repo, settings: { endpoint }, committing }: PushTarget & { readonly committing: boolean },
): unknown {
  const refused = error instanceof HubApiError && error.statusCode < 500;
  const nothing = committing && !refused
    ? `The model may or may not have been published: see ${endpoint}/${repo}`
    : "Nothing was published";
  const subject = `Cannot push to ${repo}:`;
  if (error instanceof HubApiError) {
    const status = error.statusCode;
    const answer = `(status ${status} from ${endpoint}). ${nothing}`;
    if (status === 401) {
      return new Deno.errors.PermissionDenied(
        `${subject} the token is invalid; set HF_TOKEN or run \`hf auth login\` ${answer}`,
      );
    }
    if (status === 403) {
      return new Deno.errors.PermissionDenied(
        `${subject} the token has no write permission ${answer}`,
      );
    }
    if (status === 429) {
      return new Error(
        `${subject} the rate limit is exceeded ${answer}; push again in a few minutes`,
      );
    }
    if (status === 404) {
      return new Deno.errors.NotFound(`${subject} its owner or branch does not exist ${answer}`);
    }
    if (status === 409 || status === 412) {
      return new Error(
        `${subject} somebody else has changed it in the meantime; push again ${answer}`,
      );
    }
    return new Error(`${subject} the Hub rejected the push: ${error.message} ${answer}`);
  }
  if (error instanceof DOMException && error.name === "AbortError") {
    return new Deno.errors.Interrupted(`Push to ${repo} was interrupted. ${nothing}`);
  }
  if (error instanceof TypeError || error instanceof Deno.errors.Http) { // thrown by fetch
    return new Error(
      `${subject} cannot reach ${endpoint}: ${error.message}. ${nothing}; push again`,
    );
  }
  return error;
}

/** Creates the repository unless it exists. */
async function ensureRepo(
  { repo, isPrivate, settings }: PushTarget,
  view: ProgressView,
): Promise<void> {
  try {
    await createRepo({
      repo: { type: "model", name: repo },
      visibility: isPrivate ? "private" : "public",
      ...describeHub(settings, view),
    });
  } catch (error) {
    if (error instanceof HubApiError && error.statusCode === 409) return; // the repository exists
    throw error;
  }
}

/** Result of a push. */
type Pushed = {
  /** URL of the commit. */
  readonly url: string;
  /** Deleted files of an earlier push. */
  readonly removed: readonly string[];
};

/** Uploads and commits `files`; the commit also deletes files left by an earlier push. */
export async function pushFiles(
  files: readonly FileToPush[],
  target: PushTarget,
  { view = SILENT, signal }: PushOptions = {},
): Promise<Pushed> {
  const { repo, settings } = target;
  checkRepoName(repo);
  if (settings.token === null) {
    throw new Deno.errors.PermissionDenied(
      `Cannot push to ${repo}: there is no token. Set HF_TOKEN to one with write permission, or run ` +
        "`hf auth login` and leave HF_HUB_DISABLE_IMPLICIT_TOKEN unset",
    );
  }
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]));
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const sent = new Map<string, number>();
  let committing = false;
  try {
    await ensureRepo(target, view);
    const removed = await listStaleFiles(files, target, view);
    signal?.throwIfAborted();
    const events = commitIter({
      repo: { type: "model", name: repo },
      title: "Upload model",
      operations: [
        ...files.map(({ path, content }) => ({
          operation: "addOrUpdate" as const,
          path,
          content: content instanceof URL ? content : new Blob([content]),
        })),
        ...removed.map((path) => ({ operation: "delete" as const, path })),
      ],
      ...describeHub(settings, view),
      ...(signal && { abortSignal: signal }),
    });
    for (;;) {
      const { done, value } = await events.next();
      if (done) return { url: value?.commit.url ?? `${settings.endpoint}/${repo}`, removed };
      committing ||= value.event === "phase" && value.phase === "committing";
      if (value.event !== "fileProgress" || value.state !== "uploading") continue;
      sent.set(value.path, value.progress * (sizes.get(value.path) ?? 0));
      const bytes = [...sent.values()].reduce((sum, each) => sum + each, 0);
      view.update({ done: Math.round(bytes), total, label: `push ${value.path}` });
    }
  } catch (error) {
    throw explainRefusal(error, { ...target, committing });
  } finally {
    await view.finish();
  }
}
