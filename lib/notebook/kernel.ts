/**
 * A Deno Jupyter kernel: code in, outputs out, none lost.
 *
 * The kernel of Deno 2.9 may publish a cell's outputs after its reply and after its status `idle`, so
 * the usual sign of the end is none. But outputs leave it in order: a marker published by a silent
 * request after the cell comes last, and when it is here, everything is.
 * @module
 */

import { spawnKernel } from "./kernel_process.ts";
import {
  enterProgram,
  type LateError,
  readLateError,
  SETTLE_PROGRAM,
  WATCH_PROGRAM,
} from "./late_errors.ts";
import { createEncoder, type MessageContent, takeMessages } from "./messages.ts";
import { isRecord } from "./nbformat.ts";
import { connectZmtp, type ZmtpSocket } from "./zmtp.ts";

/** Takes what the kernel publishes: `stream`, `display_data`, `error` … */
export type Listener = (type: string, content: MessageContent) => void;

/** How a cell ended. */
export type ExecuteReply = {
  readonly status: "ok" | "error";
  /** Name, message and stack of what was thrown; empty where nothing was. */
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
};

/** A running kernel. */
export type Kernel = {
  /**
   * Runs the code of a cell; resolves when it has ended and all that it published has gone to `listener`.
   * Errors that nobody awaits name `cell`, a number.
   */
  execute(code: string, options: { listener: Listener; cell: number }): Promise<ExecuteReply>;
  /** Waits until what cells have left for the next seconds is done. */
  settle(): Promise<void>;
  /** Sends what Jupyter sends to interrupt: SIGINT. */
  interrupt(): void;
  /** Ends the kernel in good order. */
  stop(): Promise<void>;
  /** Ends the kernel at once; `reason` becomes the error of whoever waits. */
  kill(reason: string): void;
};

const MARK = "application/x-flush-mark";
/** The longest that outputs may be under way after a cell has ended. */
const FLUSH_MS = 60_000;

/** Starts a kernel whose working folder is `folder`; errors that nobody awaits go to `onLateError`. */
export async function startKernel(
  folder: string,
  { onLateError }: { readonly onLateError: (error: LateError) => void },
): Promise<Kernel> {
  const process = await spawnKernel(folder);
  const { alive, key, ports } = process;
  const encode = createEncoder(key);
  const replies = new Map<string, (content: MessageContent) => void>();
  const sockets: ZmtpSocket[] = [];
  let listener: Listener = () => {};
  let marks = 0;

  const request = async (socket: ZmtpSocket, type: string, content: MessageContent) => {
    const { id, frames } = encode(type, content);
    const reply = new Promise<MessageContent>((resolve) => replies.set(id, resolve));
    await alive(socket.send(frames));
    return await alive(reply).finally(() => replies.delete(id));
  };
  const run = (shell: ZmtpSocket, code: string, silent: boolean) =>
    request(shell, "execute_request", {
      code,
      silent,
      store_history: !silent,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    });
  /** Waits until all that was published is here; false after `timeoutMs`. */
  const flush = async (shell: ZmtpSocket, timeoutMs: number) => {
    const mark = String(++marks), inner = listener;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const seen = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
      listener = (type, content) => {
        const data = content["data"];
        if (!isRecord(data) || !(MARK in data)) inner(type, content);
        else if (data[MARK] === mark) resolve(true); // an older one came late: nothing
      };
    });
    try {
      const message = `{ data: { "${MARK}": "${mark}" }, metadata: {}, transient: {} }`;
      const code = `await Deno.jupyter.broadcast("display_data", ${message}); undefined`;
      await run(shell, code, true);
      return await alive(seen);
    } finally {
      clearTimeout(timer);
      listener = inner;
    }
  };
  const close = () => sockets.forEach((socket) => socket.close());

  try {
    const shell = await alive(connectZmtp(ports.shell, "DEALER"));
    const control = await alive(connectZmtp(ports.control, "DEALER"));
    const iopub = await alive(connectZmtp(ports.iopub, "SUB"));
    sockets.push(shell, control, iopub);
    takeMessages(shell, (_type, parent, content) => replies.get(parent)?.(content));
    takeMessages(iopub, (type, _parent, content) => {
      const late = readLateError(content["data"]);
      if (late === null) listener(type, content);
      else onLateError(late);
    });
    await request(shell, "kernel_info_request", {});
    for (let tries = 1; !(await flush(shell, 250)); tries++) { // a subscription takes a moment
      if (tries === 100) throw new Error("Cannot start the kernel as it publishes nothing");
    }
    await run(shell, WATCH_PROGRAM, true);
    return {
      async execute(code, { listener: listen, cell }) {
        await run(shell, enterProgram(cell), true);
        listener = listen;
        const reply = await run(shell, code, false);
        if (!await flush(shell, FLUSH_MS)) {
          throw new Error(`Cannot go on as outputs must arrive within ${FLUSH_MS / 1000} s`);
        }
        return toReply(reply);
      },
      async settle() {
        await run(shell, SETTLE_PROGRAM, true);
        await flush(shell, FLUSH_MS);
      },
      interrupt: process.interrupt,
      async stop() {
        const { frames } = encode("shutdown_request", { restart: false });
        await control.send(frames).catch(() => {}); // it may have ended already
        await process.end(2000);
        close();
      },
      kill: process.kill,
    };
  } catch (error) {
    await process.end(0);
    close();
    throw error;
  }
}

function toReply(content: MessageContent): ExecuteReply {
  const traceback = content["traceback"];
  return {
    status: content["status"] === "ok" ? "ok" : "error",
    ename: String(content["ename"] ?? ""),
    evalue: String(content["evalue"] ?? ""),
    traceback: Array.isArray(traceback) ? traceback.map(String) : [],
  };
}
