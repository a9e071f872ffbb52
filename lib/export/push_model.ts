/**
 * Puts a model folder on the Hugging Face Hub. Large files are uploaded first and seen by nobody; one
 * commit at the end shows all of it at once, so that a push which is cut off leaves the repository as
 * it was. The same commit removes what an earlier push put there and the folder no longer has: readers
 * would take an old graph for the new model's.
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { commitIter, createRepo, HubApiError } from "@huggingface/hub";
import { askPaths } from "@/data/hub_api.ts";
import { createLibraryFetch, STAND_IN_TOKEN } from "@/data/hub_send.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import { isPartial } from "@/files.ts";
import { type ProgressView, SILENT } from "@/progress.ts";

/** A file of a push. */
export type FileToPush = {
  /** Its place in the repository. */
  readonly path: string;
  readonly bytes: number;
  /** Where it is, or what it holds. */
  readonly content: URL | Uint8Array<ArrayBuffer>;
};

/** Where a push goes. */
export type PushTarget = {
  /** `owner/name` */
  readonly repo: string;
  /** Whether a repository that has to be made is for its owner alone. */
  readonly isPrivate: boolean;
  readonly settings: HubSettings;
};

/** How a push is watched. */
export type PushOptions = { readonly view?: ProgressView; readonly signal?: AbortSignal };

/** Refuses a name that the Hub would not have. */
export function checkRepoName(repo: string): void {
  if (/^\w[\w.-]{0,95}\/\w[\w.-]{0,95}$/.test(repo)) return;
  throw new RangeError(
    `Cannot push as the repository's name must look like OWNER/NAME: current value is ${
      JSON.stringify(repo)
    }`,
  );
}

/**
 * The files of a model folder in order, its card replaced by `card`. What is not a file of the model
 * (hidden or half-written) stays out.
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

/** What of a model folder may be left from an earlier push: graphs, heads, modules behind the encoder. */
const OURS = /^(onnx\/model\w*\.onnx|heads\.(json|safetensors)|\d+_[A-Z]\w*\/.+)$/;

/** Files of the repository that an earlier push made and `files` do not hold. */
async function listLeft(
  files: readonly FileToPush[],
  { repo, settings }: PushTarget,
  view: ProgressView,
): Promise<readonly string[]> {
  const kept = new Set(files.map(({ path }) => path));
  const request = { settings, what: `the list of files of model ${repo}`, view };
  const paths = await askPaths(request, { repo, kind: "model", revision: "main" });
  return paths.filter((path) => OURS.test(path) && !kept.has(path));
}

/** How `@huggingface/hub` reaches the Hub of these settings. */
function describeHub(settings: HubSettings, view: ProgressView) {
  const { endpoint: hubUrl } = settings;
  return {
    hubUrl,
    accessToken: STAND_IN_TOKEN,
    fetch: createLibraryFetch(settings, view),
  } as const;
}

/** The error to raise where the Hub refused; `committing`: it had been asked to publish. */
function explainRefusal(
  error: unknown,
  { repo, settings: { endpoint }, committing }: PushTarget & { readonly committing: boolean },
): unknown {
  const refused = error instanceof HubApiError && error.statusCode < 500;
  const nothing = committing && !refused
    ? `It may have been published or not: look at ${endpoint}/${repo}`
    : "Nothing was published";
  const subject = `Cannot push to ${repo} as`;
  if (error instanceof HubApiError) {
    const status = error.statusCode;
    const answer = `status ${status} from ${endpoint}. ${nothing}`;
    if (status === 401) {
      return new Deno.errors.PermissionDenied(
        `${subject} HF_TOKEN, or the file of \`hf auth login\`, must hold a valid token: ${answer}`,
      );
    }
    if (status === 403) {
      return new Deno.errors.PermissionDenied(
        `${subject} the token must be allowed to write there: ${answer}`,
      );
    }
    if (status === 429) {
      return new Error(
        `${
          subject.replace(/ as$/, ":")
        } the rate limit of ${endpoint} is exceeded, ${answer}; push again in a few minutes`,
      );
    }
    if (status === 404) {
      return new Deno.errors.NotFound(`${subject} its owner and branch must exist: ${answer}`);
    }
    if (status === 409 || status === 412) {
      return new Error(`${subject} nobody else may change it meanwhile, push again: ${answer}`);
    }
    return new Error(`${subject} the Hub must accept it: ${error.message}; ${answer}`);
  }
  if (error instanceof DOMException && error.name === "AbortError") {
    return new Deno.errors.Interrupted(`Push to ${repo} was interrupted. ${nothing}`);
  }
  if (error instanceof TypeError || error instanceof Deno.errors.Http) { // of fetch
    return new Error(
      `${subject} ${endpoint} must be reached: ${error.message}. ${nothing}; push again`,
    );
  }
  return error;
}

/** Makes the repository if it is not there; another's refusal is an error. */
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
    if (error instanceof HubApiError && error.statusCode === 409) return; // it is there
    throw error;
  }
}

/** What a push did. */
export type Pushed = {
  /** Address of the commit. */
  readonly url: string;
  /** Files of an earlier push that it removed. */
  readonly removed: readonly string[];
};

/** Uploads `files` and commits them, with the removal of what an earlier push left. */
export async function pushFiles(
  files: readonly FileToPush[],
  target: PushTarget,
  { view = SILENT, signal }: PushOptions = {},
): Promise<Pushed> {
  const { repo, settings } = target;
  checkRepoName(repo);
  if (settings.token === null) {
    throw new Deno.errors.PermissionDenied(
      `Cannot push to ${repo}: there is no token. Set HF_TOKEN to one that may write, or run ` +
        "`hf auth login`; HF_HUB_DISABLE_IMPLICIT_TOKEN must not be set",
    );
  }
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]));
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const sent = new Map<string, number>();
  let committing = false;
  try {
    await ensureRepo(target, view);
    const removed = await listLeft(files, target, view);
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
