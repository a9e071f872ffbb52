/**
 * Converts the messages of a kernel into cell outputs: joins streams, updates displays in place (also those
 * of earlier cells) and removes terminal colors.
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { readDisplaySize } from "@/report/figures/figure.ts";
import type { MessageContent } from "./messages.ts";
import { isRecord, type MediaBundle, type Output, toLines } from "./nbformat.ts";

/** Collects the outputs of a notebook's cells as they arrive. */
type OutputCollector = {
  /** Starts the outputs of the cell with execution count `count`. */
  begin(count: number): void;
  /** Adds a message to the current cell. */
  take(type: string, content: MessageContent): void;
  /** The outputs of a cell so far; later cells can still update a display in it. */
  outputs(count: number): readonly Output[];
};

/** A mutable reference to an output, so that a display update can replace it. */
type Slot = { output: Output };

/** Creates a collector for one execution of a notebook. */
export function createCollector(): OutputCollector {
  const cells = new Map<number, Slot[]>();
  const displays = new Map<string, Slot[]>();
  let count = 0;
  let slots: Slot[] = [];
  let clearNext = false;

  /**
   * Index of the next output. An error stays last: the kernel may publish output after it that the cell printed
   * before.
   */
  const end = () => slots.length - (slots.at(-1)?.output.output_type === "error" ? 1 : 0);
  const add = (output: Output): Slot => {
    if (clearNext) slots.length = 0;
    clearNext = false;
    const slot = { output };
    slots.splice(end(), 0, slot);
    return slot;
  };
  const addStream = (name: "stdout" | "stderr", text: string) => {
    const last = clearNext ? undefined : slots[end() - 1];
    if (last?.output.output_type === "stream" && last.output.name === name) {
      last.output = { ...last.output, text: toLines(last.output.text.join("") + text) };
    } else {
      add({ output_type: "stream", name, text: toLines(text) });
    }
  };
  const addData = (type: string, content: MessageContent) => {
    const data = toBundle(content["data"]);
    const metadata = isRecord(content["metadata"]) ? content["metadata"] : {};
    const shown = { data, metadata: { ...describeImage(data), ...metadata } };
    const id = isRecord(content["transient"]) ? content["transient"]["display_id"] : undefined;
    if (type === "update_display_data") {
      for (const slot of displays.get(String(id)) ?? []) slot.output = { ...slot.output, ...shown };
      return;
    }
    const slot = add(
      type === "execute_result"
        ? { output_type: type, execution_count: count, ...shown }
        : { output_type: "display_data", ...shown },
    );
    if (typeof id === "string") displays.set(id, [...displays.get(id) ?? [], slot]);
  };

  return {
    begin(next) {
      count = next;
      slots = [];
      clearNext = false;
      cells.set(count, slots);
    },
    take(type, content) {
      switch (type) {
        case "stream":
          addStream(content["name"] === "stderr" ? "stderr" : "stdout", plain(content["text"]));
          break;
        case "display_data":
        case "update_display_data":
        case "execute_result":
          addData(type, content);
          break;
        case "error":
          add({
            output_type: "error",
            ename: plain(content["ename"]),
            evalue: plain(content["evalue"]),
            traceback: Array.isArray(content["traceback"]) ? content["traceback"].map(plain) : [],
          });
          break;
        case "clear_output":
          if (content["wait"] === true) clearNext = true;
          else slots.length = 0;
          break;
        default: // kernel states and echoes of the code
      }
    },
    outputs: (asked) => (cells.get(asked) ?? []).map(({ output }) => output),
  };
}

/** Text without colors and cursor movements. */
function plain(value: unknown): string {
  return stripVTControlCharacters(String(value ?? ""));
}

/** Splits text into lines, as nbformat stores it; leaves images and JSON unchanged. */
function toBundle(data: unknown): MediaBundle {
  if (!isRecord(data)) return {};
  return Object.fromEntries(
    Object.entries(data).map(([type, value]) => {
      const asLines = typeof value === "string" && !/json$|^image\/(?!svg)/.test(type);
      return [type, asLines ? toLines(type === "text/plain" ? plain(value) : value) : value];
    }),
  );
}

/**
 * Metadata of a picture, which the kernel leaves empty: its size in CSS pixels, derived from its density, and its
 * alternative text.
 */
function describeImage({ "image/png": png, "text/plain": text }: MediaBundle): MediaBundle {
  if (typeof png !== "string") return {};
  const size = readDisplaySize(Uint8Array.fromBase64(png));
  if (size === null) return {};
  const alt = Array.isArray(text) ? { alt: text.join("") } : {};
  return { "image/png": { ...size, ...alt } };
}
