/**
 * Tab that predicts labels and entities of one text.
 * @module
 */
/// <reference lib="dom" />
import type { ModelInfo } from "@/app/contract.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import { find, make, makeCopyButton } from "./elements.ts";
import { cutText } from "./page_state.ts";
import { exampleButton, type PageContext, type Panel, textOf, TYPING_MS } from "./panel.ts";
import { describeLimits, describeReading, type HiddenTypes, showReading } from "./show_reading.ts";

/** Creates the tab. */
export function createReadPanel({ client, change, announce, address }: PageContext): Panel {
  const text = find("text", HTMLTextAreaElement);
  const place = find("reading", HTMLElement), actions = find("reading-actions", HTMLElement);
  const hidden: HiddenTypes = new Map();
  let shown: TextPrediction | null = null;
  let examplesOf: ModelInfo | null = null;

  text.addEventListener(
    "input",
    () => change({ text: cutText(text.value) }, { waitMs: TYPING_MS }),
  );
  makeCopyButton(find("copy-reading", HTMLButtonElement), {
    text: () => JSON.stringify(shown, null, 2),
    announce,
  });
  makeCopyButton(find("link-reading", HTMLButtonElement), { text: address, announce });

  return {
    place,
    show(state, model) {
      const wanted = textOf(state, model);
      if (cutText(text.value) !== wanted) text.value = wanted;
      if (model === null || model === examplesOf) return;
      examplesOf = model;
      find("text-examples", HTMLElement).replaceChildren(
        ...model.examples.map((each) =>
          exampleButton(each, () => change({ text: cutText(each) }, { push: true }))
        ),
      );
    },
    async refresh({ state, model }, signal) {
      const wanted = textOf(state, model);
      actions.hidden = true;
      if (model.tasks.length === 0) {
        const words =
          'This model has no tasks: it only computes embeddings. See "Compare sentences".';
        place.replaceChildren(make("p", { class: "quiet" }, words));
        announce("");
        return;
      }
      if (wanted.trim() === "") {
        place.replaceChildren(
          make("p", { class: "quiet" }, "Type a text, or choose an example."),
        );
        announce("");
        return;
      }
      const { predictions: [prediction], tookMs } = await client.predict([wanted], {
        run: model.run,
        signal,
      });
      if (signal.aborted || prediction === undefined) return;
      shown = prediction;
      const limits = describeLimits(text.value, model);
      place.replaceChildren(
        ...limits.map((words) => make("p", { class: "quiet note" }, words)),
        ...showReading(prediction, { model, hidden }),
      );
      actions.hidden = false;
      announce([...limits, describeReading(prediction, tookMs)].join(" "));
    },
  };
}
