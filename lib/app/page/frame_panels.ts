/**
 * Tabs that show a file of the run in a frame: the report, and the model card below facts about the model.
 * @module
 */
/// <reference lib="dom" />
import type { ModelInfo } from "@/app/contract.ts";
import { find, make } from "./elements.ts";
import { listTypes } from "./palette.ts";
import type { PageContext, Panel } from "./panel.ts";

/** Messages shown if a file does not exist. */
const MISSING = {
  report: "This run has no report: deno task report writes one.",
  card: "This run has no model card.",
} as const;

/** Shows a file in the element `kind`, or a message if that fails. */
async function showFrame(
  kind: keyof typeof MISSING,
  { path, title, signal }: {
    readonly path: string;
    readonly title: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const place = find(kind, HTMLElement);
  const fail = (words: string) => place.replaceChildren(make("p", { class: "quiet" }, words));
  let status: number;
  try {
    status = (await fetch(path, { method: "HEAD", signal })).status;
  } catch {
    if (!signal.aborted) {
      fail(
        "Cannot reach the server: start it again, then reopen this tab.",
      );
    }
    return;
  }
  if (status === 404) return fail(MISSING[kind]);
  if (status !== 200) {
    return fail(
      `Cannot show the ${kind}: the server responded with status ${status}; try again in a moment.`,
    );
  }
  const [frame] = place.children;
  if (frame instanceof HTMLIFrameElement && frame.getAttribute("src") === path) return;
  // a new frame, since changing the address of the existing one would add an entry to the browser history
  place.replaceChildren(make("iframe", { title, src: path, sandbox: "" }));
}

/** Creates the report tab. */
export function createReportPanel({ fileOf }: PageContext): Panel {
  return {
    show() {},
    refresh: ({ model: { run } }, signal) =>
      showFrame("report", { path: fileOf("report", run), title: "The run's report", signal }),
  };
}

/** Facts about a model, as pairs of a term and its description. */
function listFacts(model: ModelInfo, computed: string): readonly (readonly [string, string])[] {
  return [
    ["Run", model.run],
    ...model.tasks.map(({ name, kind, labels }) =>
      [
        `Task ${name}`,
        `${kind}: ${(kind === "tagging" ? listTypes(labels) : labels).join(", ")}`,
      ] as const
    ),
    ["Embedding", `${model.pooling} pooling, normalization ${model.normalize}`],
    ["Longest input", `${model.maxLength} tokens`],
    ...model.trainedOnSample
      ? [["Trained on", "the built-in sample of generated sentences"] as const]
      : [],
    ["Computed", computed],
  ];
}

/** Creates the tab about the model. */
export function createAboutPanel({ fileOf, computed }: PageContext): Panel {
  const facts = find("facts", HTMLElement);
  return {
    show(_state, model) {
      if (model === null) return;
      facts.replaceChildren(
        ...listFacts(model, computed).flatMap(([term, description]) => [
          make("dt", {}, term),
          make("dd", { dir: "auto" }, description),
        ]),
      );
    },
    refresh: ({ model: { run } }, signal) =>
      showFrame("card", { path: fileOf("card", run), title: "The model's card", signal }),
  };
}
