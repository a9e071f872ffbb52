/**
 * Executes notebooks headless: all code cells in order, in a new kernel, with outputs in nbformat 4.5. Messages of the
 * kernel become outputs: streams are joined, displays (also those of earlier cells) are updated in place, and terminal
 * colors are removed. A notebook
 * with deterministic cells is byte-identical after every execution.
 * @module
 */

import { type ExecuteReply, startKernel } from "./kernel.ts";
import {
  type Cell,
  cellTags,
  type CodeCell,
  isRecord,
  type MediaBundle,
  type Notebook,
  type Output,
  toLines,
} from "./nbformat.ts";
import { stripVTControlCharacters } from "node:util";
import { readDisplaySize } from "@/report/figures/figure.ts";
import type { MessageContent } from "./jupyter_protocol.ts";

/** Options of an execution. */
type RunNotebookOptions = {
  /** Working directory of the kernel. */
  readonly folder: string;
  /** Time limit of a cell. */
  readonly timeoutMs?: number;
  /** Called before each code cell with its number, from 1, and the number of code cells. */
  readonly onCell?: (cell: number, total: number) => void;
  /** Kills the kernel when aborted. */
  readonly signal?: AbortSignal;
};

/** Result of an execution. */
type ExecutedNotebook = {
  /** The notebook with new outputs; cells that did not run have none. */
  readonly notebook: Notebook;
  /** Number of code cells that ran to their end. */
  readonly cells: number;
  /** Why the execution stopped early; null if it did not. */
  readonly failure: { readonly cell: number; readonly message: string } | null;
};

/** Runs the code cells of a notebook up to the first one that fails. */
export async function runNotebook(
  notebook: Notebook,
  options: RunNotebookOptions,
): Promise<ExecutedNotebook> {
  const { folder, timeoutMs = 600_000, onCell, signal } = options;
  const codeCells = notebook.cells.filter((cell) => cell.cell_type === "code");
  const counts = new Map<Cell, number>();
  let failure: ExecutedNotebook["failure"] = null;
  let passed = 0, current = 0;
  const kernel = await startKernel(folder, {
    onLateError({ cell, message }) { // later results of this kernel are unreliable
      failure ??= { cell: cell ?? current, message };
      kernel.kill(message);
    },
  });
  const collector = createCollector();
  const interrupt = () => kernel.kill("the execution was interrupted");
  if (signal?.aborted) interrupt();
  signal?.addEventListener("abort", interrupt);

  /** Runs `work` for the current cell within the time limit. */
  const attempt = async (work: () => Promise<string | null>) => {
    const seconds = timeoutMs / 1000;
    const timer = setTimeout(
      () => kernel.kill(`the cell did not end within ${seconds} s`),
      timeoutMs,
    );
    try {
      const message = await work();
      if (message !== null) failure ??= { cell: current, message };
    } catch (error) {
      failure ??= {
        cell: current,
        message: error instanceof Error ? error.message : String(error),
      };
    } finally {
      clearTimeout(timer);
    }
  };
  try {
    for (const [i, cell] of codeCells.entries()) {
      if (!isRun(cell)) continue;
      onCell?.(i + 1, codeCells.length);
      current = i + 1;
      const count = counts.size + 1;
      collector.begin(count);
      await attempt(async () => {
        const reply = await kernel.execute(cell.source, {
          listener: collector.take,
          cell: current,
        });
        counts.set(cell, count);
        const message = await judge(cell, reply);
        if (reply.status === "error" && collector.outputs(count).at(-1)?.output_type !== "error") {
          collector.take("error", { ename: "SyntaxError", evalue: message ?? "", traceback: [] });
        }
        return message;
      });
      if (failure !== null) break;
      passed++;
    }
    if (failure === null) await attempt(() => kernel.settle().then(() => null));
  } finally {
    signal?.removeEventListener("abort", interrupt);
    await kernel.stop();
  }
  const cells = notebook.cells.map((cell) => {
    if (cell.cell_type !== "code") return cell;
    const count = counts.get(cell) ?? null;
    const outputs = count === null ? [] : collector.outputs(count);
    return { ...cell, execution_count: count, outputs };
  });
  return { notebook: { cells }, cells: passed, failure };
}

/** True if the cell is executed. */
function isRun(cell: CodeCell): boolean {
  return cell.source.trim() !== "" && !cellTags(cell).includes("skip-execution");
}

/** Error message of a cell; null if it ended as expected. */
async function judge(cell: CodeCell, reply: ExecuteReply): Promise<string | null> {
  const mustThrow = cellTags(cell).includes("raises-exception");
  if (reply.status === "ok") {
    return mustThrow ? "the cell must throw, by its tag raises-exception, and did not" : null;
  }
  if (mustThrow) return null;
  if (reply.traceback.length > 0) {
    const place = reply.traceback.slice(1).join("\n").trim();
    return `${reply.ename}: ${reply.evalue}${place === "" ? "" : `\n${place}`}`;
  }
  // for code that does not parse, the kernel only says "Execution failed"
  return await findSyntaxError(cell.source) ?? `${reply.ename}: ${reply.evalue}`;
}

/** Syntax error that `deno fmt` reports for the code; null if it parses. */
async function findSyntaxError(code: string): Promise<string | null> {
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--no-config", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code));
  await writer.close();
  const { success, stderr } = await formatter.output();
  if (success) return null;
  const words = new TextDecoder().decode(stderr);
  const found = /error: (?:SyntaxError: )?(.*)[^]*? at \S*?_stdin\.ts:(\d+):(\d+)/.exec(words);
  return found ? `SyntaxError: ${found[1]} (line ${found[2]}, column ${found[3]})` : null;
}

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
