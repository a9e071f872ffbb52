/**
 * Runs code in a Deno Jupyter kernel and collects all of its outputs.
 *
 * The kernel of Deno 2.9 may publish outputs of a cell after its reply and after its `idle` status, so neither
 * marks the end of the outputs. But outputs arrive in order: a silent request after the cell publishes a marker,
 * and when the marker arrives, all outputs of the cell have arrived.
 * @module
 */

import {
  enterProgram,
  type LateError,
  readLateError,
  SETTLE_PROGRAM,
  WATCH_PROGRAM,
} from "./late_errors.ts";
import {
  connectZmtp,
  createEncoder,
  type MessageContent,
  takeMessages,
  type ZmtpSocket,
} from "./jupyter_protocol.ts";
import { isRecord } from "./nbformat.ts";
import { randomUUID } from "node:crypto";
import { join } from "node:path";

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

/** A kernel's process with the ports and the key of its connection. */
type KernelProcess = {
  readonly ports: {
    readonly shell: number;
    readonly iopub: number;
    readonly stdin: number;
    readonly control: number;
    readonly heartbeat: number;
  };
  /** Key that signs the messages. */
  readonly key: string;
  /** Resolves like `promise`; rejects as soon as the process ends. */
  alive<T>(promise: Promise<T>): Promise<T>;
  /** Sends SIGINT. */
  interrupt(): void;
  /** Kills the process; pending calls fail with `reason`. */
  kill(reason: string): void;
  /** Waits up to `timeoutMs` for the process to end, then kills it. */
  end(timeoutMs: number): Promise<void>;
};

/** Starts `deno jupyter` in `folder`, with the nearest `deno.json` above it. */
async function spawnKernel(folder: string): Promise<KernelProcess> {
  const key = randomUUID(); // a secret shared with the kernel; it does not affect any result
  const ports = findPorts();
  const temporary = await Deno.makeTempDir({ prefix: "kernel-" });
  const connection = join(temporary, "connection.json");
  await Deno.writeTextFile(
    connection,
    JSON.stringify({
      shell_port: ports.shell,
      iopub_port: ports.iopub,
      stdin_port: ports.stdin,
      control_port: ports.control,
      hb_port: ports.heartbeat,
      ip: "127.0.0.1",
      transport: "tcp",
      key,
      signature_scheme: "hmac-sha256",
      kernel_name: "deno",
    }),
    { mode: 0o600 },
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--quiet", "--kernel", "--conn", connection],
    cwd: folder,
    stdin: "null",
    stdout: "piped", // output of native code; part of the error message if the process dies
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const lastWords = keepTail(child);
  let reason: string | null = null;
  const death = child.status.then(async ({ code, signal }) => {
    await Deno.remove(temporary, { recursive: true });
    const words = await lastWords;
    throw new Error(
      reason ??
        `the kernel has ended (${signal ?? `exit code ${code}`})${
          words === "" ? "" : `: ${words}`
        }`,
    );
  });
  death.catch(() => {}); // pending calls report it; no other handler is needed
  return {
    ports,
    key,
    alive: (promise) => Promise.race([promise, death]),
    interrupt: () => child.kill("SIGINT"),
    kill(why) {
      reason = why;
      killChild(child);
    },
    async end(timeoutMs) {
      const timer = setTimeout(() => killChild(child), timeoutMs);
      await death.catch(() => {});
      clearTimeout(timer);
    },
  };
}

/** Finds unused ports. All are held open until the last is found, so they differ. */
function findPorts(): KernelProcess["ports"] {
  const listeners: Deno.TcpListener[] = [];
  const find = () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    listeners.push(listener);
    return listener.addr.port;
  };
  const ports = { shell: find(), iopub: find(), stdin: find(), control: find(), heartbeat: find() };
  for (const listener of listeners) listener.close();
  return ports;
}

/** Returns the last lines of a child's output after it has ended; reads continuously so that the child never blocks. */
async function keepTail(child: Deno.ChildProcess): Promise<string> {
  const tails = await Promise.all([child.stdout, child.stderr].map(async (stream) => {
    let tail = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      tail = (tail + text).slice(-2000);
    }
    return tail;
  }));
  return tails.join("").trim().split("\n").slice(-5).join("\n");
}

function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // it has ended already
  }
}
