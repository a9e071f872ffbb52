/**
 * Tab with example programs that call the API.
 * @module
 */
/// <reference lib="dom" />
import { LIMITS } from "@/app/limits.ts";
import { writeApiExamples } from "./api_examples.ts";
import { makeCopyButton } from "./copy.ts";
import { find, make } from "./elements.ts";
import { type PageContext, type Panel, sentencesOf, textOf, type View } from "./panel.ts";

/** Default address of `deno task app`. */
const DEFAULT_API = "http://127.0.0.1:8000/api/";

/** Creates the tab. */
export function createApiPanel({ api, view, announce }: PageContext): Panel {
  const endpoint = find("endpoint", HTMLSelectElement), place = find("api-examples", HTMLElement);
  const url = api ?? DEFAULT_API;

  /** Request to the selected endpoint, with the texts of the other tabs. */
  const describe = ({ state, model }: View) => {
    const run = state.run === null || api === null ? {} : { run: model.run };
    if (endpoint.value === "encode" || model.tasks.length === 0) {
      const texts = sentencesOf(state, model).split("\n").map((line) => line.trim())
        .filter((line) => line !== "");
      return {
        url: `${url}encode`,
        body: {
          texts: texts.length === 0 ? model.examples : texts.slice(0, LIMITS.texts),
          ...run,
          pooling: state.pooling ?? model.pooling,
          normalize: state.normalize ?? model.normalize,
        },
        answer: "embeddings",
      } as const;
    }
    const text = textOf(state, model);
    return {
      url: `${url}predict`,
      body: { text: text.trim() === "" ? model.examples[0] ?? "A text." : text, ...run },
      answer: "predictions",
    } as const;
  };
  const show = () => {
    const now = view();
    if (now === null) return;
    find("no-server", HTMLElement).hidden = api !== null;
    find("no-server-command", HTMLElement).textContent = `deno task app outputs/${now.model.run}`;
    const document = find("openapi", HTMLAnchorElement);
    document.href = `${url}openapi.json`;
    document.hidden = api === null;
    place.replaceChildren(
      ...writeApiExamples(describe(now)).map(({ id, title, code }) => {
        const copy = make("button", { type: "button", "aria-label": `Copy ${title}` }, "Copy");
        if (copy instanceof HTMLButtonElement) makeCopyButton(copy, { text: () => code, announce });
        return make(
          "section",
          { class: "card code", "aria-label": title },
          make("div", { class: "card-head" }, make("h2", {}, title), copy),
          make(
            "pre",
            { tabindex: "0", id: `api-${id}`, "aria-label": `${title} example` },
            make("code", {}, code),
          ),
        );
      }),
    );
  };
  endpoint.addEventListener("change", show);
  return { show };
}
