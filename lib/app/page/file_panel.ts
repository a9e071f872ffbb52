/**
 * Tab that predicts all texts of a file and returns the file with the predictions added.
 * @module
 */
/// <reference lib="dom" />
import { LIMITS, type ModelInfo } from "@/app/contract.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import { formatCsv } from "./page_csv.ts";
import { find, make } from "./elements.ts";
import type { PageContext, Panel } from "./panel.ts";
import {
  addPredictions,
  guessColumn,
  guessHeader,
  MAX_MIB,
  predictAll,
  readTable,
  type TextTable,
} from "./predict_file.ts";

const count = (value: number, noun: string) =>
  `${value.toLocaleString("en-US")} ${noun}${value === 1 ? "" : "s"}`;

/** One line per task with the frequencies of the predicted labels or entity types. */
function summarize(
  predictions: readonly (TextPrediction | null)[],
  { tasks }: ModelInfo,
): readonly HTMLElement[] {
  return tasks.map(({ name }) => {
    const counts = new Map<string, number>();
    for (const prediction of predictions) {
      const label = prediction?.labels[name]?.label;
      const types = prediction?.entities[name]?.map(({ type }) => type) ?? [];
      for (const each of label === undefined ? types : [label]) {
        counts.set(each, (counts.get(each) ?? 0) + 1);
      }
    }
    const found = [...counts].sort(([, a], [, b]) => b - a)
      .map(([label, times]) => `${label} ${times.toLocaleString("en-US")}`);
    return make(
      "p",
      {},
      make("strong", {}, make("bdi", {}, name)),
      `: ${found.length === 0 ? "nothing found" : found.join(", ")}`,
    );
  });
}

/** Creates the tab. */
export function createFilePanel({ client, view, announce }: PageContext): Panel {
  const input = find("file", HTMLInputElement);
  const choices = find("file-choices", HTMLElement), facts = find("file-facts", HTMLElement);
  const column = find("file-column", HTMLSelectElement);
  const header = find("file-header", HTMLInputElement);
  const start = find("file-start", HTMLButtonElement),
    cancel = find("file-cancel", HTMLButtonElement);
  const bar = find("file-progress", HTMLProgressElement);
  const problem = find("file-problem", HTMLElement), result = find("file-result", HTMLElement);
  let table: TextTable | null = null;
  let running: AbortController | null = null;
  let link: string | null = null;

  const showError = (error: unknown) => {
    problem.textContent = error instanceof Error ? error.message : String(error);
    problem.hidden = false;
  };
  const clear = () => {
    problem.hidden = true;
    result.replaceChildren();
    if (link !== null) URL.revokeObjectURL(link);
    link = null;
  };
  const offerColumns = ({ rows }: TextTable) => {
    const [first = []] = rows;
    column.replaceChildren(
      ...first.map((cell, i) =>
        make(
          "option",
          { value: String(i) },
          header.checked && cell !== "" ? cell : `column ${i + 1}`,
        )
      ),
    );
    const texts = rows.length - (header.checked ? 1 : 0);
    facts.textContent = `${input.files?.[0]?.name ?? "File"}: ${count(texts, "row")}` +
      (first.length > 1 ? `, ${count(first.length, "column")}` : "");
    start.disabled = texts === 0;
  };
  const open = async () => {
    running?.abort();
    clear();
    choices.hidden = true;
    table = null;
    const file = input.files?.[0];
    if (file === undefined) return;
    try {
      if (file.size > MAX_MIB * 2 ** 20) {
        throw new RangeError(
          `${file.name} is too large: it has ${(file.size / 2 ** 20).toFixed(1)} MiB, ` +
            `at most ${MAX_MIB} MiB are allowed`,
        );
      }
      const opened = readTable(file.name, new Uint8Array(await file.arrayBuffer()));
      table = opened;
      header.checked = guessHeader(opened);
      offerColumns(opened);
      column.value = String(guessColumn(opened, header.checked));
      for (const label of choices.querySelectorAll<HTMLElement>("label")) {
        label.hidden = !opened.isTable;
      }
      choices.hidden = false;
    } catch (error) {
      showError(error);
    }
  };
  const run = async (opened: TextTable) => {
    const model = view()?.model;
    if (model === undefined) return;
    clear();
    if (model.tasks.length === 0) {
      showError(
        new Error('This model has no tasks: it only computes embeddings. See "Compare sentences".'),
      );
      return;
    }
    const hasHeader = header.checked, index = Number(column.value);
    const texts = opened.rows.slice(hasHeader ? 1 : 0).map((row) => row[index] ?? "");
    const abort = new AbortController();
    running = abort;
    start.disabled = true;
    cancel.hidden = bar.hidden = false;
    bar.max = texts.length;
    bar.value = 0;
    let done = 0;
    announce(`Reading ${count(texts.length, "text")}.`);
    try {
      const predictions = await predictAll(texts, {
        client,
        run: model.run,
        signal: abort.signal,
        onDone(value) {
          done = value;
          bar.value = value;
          facts.textContent = `${value.toLocaleString("en-US")} of ${
            count(texts.length, "text")
          } read`;
        },
        wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      });
      if (abort.signal.aborted) return;
      const rows = addPredictions(opened, { predictions, hasHeader, model });
      link = URL.createObjectURL(
        new Blob([formatCsv(rows, opened.delimiter)], { type: "text/csv;charset=utf-8" }),
      );
      const stem = (input.files?.[0]?.name ?? "texts").replace(/\.[^.]*$/, "");
      const download = `${stem}-${model.run}.csv`;
      const cut = texts.filter(({ length }) => length > LIMITS.characters).length;
      const blank = predictions.filter((prediction) => prediction === null).length;
      result.replaceChildren(
        make("p", {}, make("a", { class: "button", href: link, download }, `Download ${download}`)),
        ...summarize(predictions, model),
        ...cut === 0 ? [] : [make(
          "p",
          { class: "quiet note" },
          `${count(cut, "text")} longer than ${
            LIMITS.characters.toLocaleString("en-US")
          } characters: only the beginning was read.`,
        )],
        ...blank === 0 ? [] : [make(
          "p",
          { class: "quiet note" },
          `${count(blank, "blank text")} without a prediction.`,
        )],
      );
      announce(`${count(texts.length, "text")} read: the table is ready.`);
    } catch (error) {
      if (abort.signal.aborted) {
        facts.textContent = `Canceled after ${done.toLocaleString("en-US")} of ${
          count(texts.length, "text")
        }.`;
        announce(facts.textContent);
      } else {
        announce("");
        showError(error);
      }
    } finally {
      if (running === abort) {
        running = null;
        start.disabled = false;
        cancel.hidden = bar.hidden = true;
      }
    }
  };

  input.addEventListener("change", open);
  header.addEventListener("change", () => {
    const chosen = column.value;
    if (table !== null) offerColumns(table);
    column.value = chosen;
  });
  start.addEventListener("click", () => {
    if (table !== null) run(table);
  });
  cancel.addEventListener("click", () => {
    running?.abort();
    start.disabled = false;
    start.focus();
  });
  return { show() {} };
}
