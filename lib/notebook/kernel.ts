/**
 * Runs code in a Deno Jupyter kernel and collects all of its outputs.
 *
 * The kernel of Deno 2.9 may publish outputs of a cell after its reply and after its `idle` status, so neither
 * marks the end of the outputs. But outputs arrive in order: a silent request after the cell publishes a marker,
 * and when the marker arrives, all outputs of the cell have arrived.
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

/** Receives the messages that the kernel publishes: `stream`, `display_data`, `error` and others. */
export type Listener = (type: string, content: MessageContent) => void;

/** Result of a cell. */
export type ExecuteReply = {
  readonly status: "ok" | "error";
  /** Name, message and stack of the thrown error; empty if there was none. */
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
};

/** A running kernel. */
export type Kernel = {
  /**
   * Runs the code of a cell. Resolves when it has ended and `listener` has received all of its outputs. Unhandled
   * errors are reported with the number `cell`.
   */
  execute(code: string, options: { listener: Listener; cell: number }): Promise<ExecuteReply>;
  /** Waits for work that cells have scheduled for the next seconds, such as timers. */
  settle(): Promise<void>;
  /** Sends SIGINT, as Jupyter's interrupt does. */
  interrupt(): void;
  /** Shuts the kernel down. */
  stop(): Promise<void>;
  /** Kills the kernel; pending calls fail with `reason`. */
  kill(reason: string): void;
};

const MARK = "application/x-flush-mark";
/** Maximum time for outputs to arrive after a cell has ended. */
const FLUSH_MS = 60_000;

/** Starts a kernel with the working directory `folder`; unhandled errors go to `onLateError`. */
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
  /** Waits until all published messages have arrived; false after `timeoutMs`. */
  const flush = async (shell: ZmtpSocket, timeoutMs: number) => {
    const mark = String(++marks), inner = listener;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const seen = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
      listener = (type, content) => {
        const data = content["data"];
        if (!isRecord(data) || !(MARK in data)) inner(type, content);
        else if (data[MARK] === mark) resolve(true); // a marker of an earlier request is ignored
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
      if (tries === 100) throw new Error("the kernel does not publish any output");
    }
    await run(shell, WATCH_PROGRAM, true);
    return {
      async execute(code, { listener: listen, cell }) {
        await run(shell, enterProgram(cell), true);
        listener = listen;
        const reply = await run(shell, code, false);
        if (!await flush(shell, FLUSH_MS)) {
          throw new Error(`the outputs of a cell did not arrive within ${FLUSH_MS / 1000} s`);
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
