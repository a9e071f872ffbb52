/**
 * The process of a kernel: started with a connection file of its own, watched, and ended.
 * @module
 */

import { randomUUID } from "node:crypto";
import { join } from "node:path";

/** A kernel's process and how to reach it. */
export type KernelProcess = {
  readonly ports: {
    readonly shell: number;
    readonly iopub: number;
    readonly stdin: number;
    readonly control: number;
    readonly heartbeat: number;
  };
  /** Signs the messages. */
  readonly key: string;
  /** The result of `promise`, or an error as soon as the process ends. */
  alive<T>(promise: Promise<T>): Promise<T>;
  /** Sends SIGINT. */
  interrupt(): void;
  /** Ends the process at once; `reason` becomes the error of whoever waits. */
  kill(reason: string): void;
  /** Waits for the end up to `timeoutMs`, then ends it. */
  end(timeoutMs: number): Promise<void>;
};

/** Starts `deno jupyter` in `folder`; the nearest `deno.json` upward counts. */
export async function spawnKernel(folder: string): Promise<KernelProcess> {
  const key = randomUUID(); // a secret between the kernel and us, not chance in a result
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
    stdout: "piped", // native code prints here, past the notebook; kept for the report of a death
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
        `Cannot go on as the kernel has ended (${signal ?? `exit code ${code}`})${
          words === "" ? "" : `: ${words}`
        }`,
    );
  });
  death.catch(() => {}); // heard by whoever waits; no one needs to
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

/** Ports that nobody listens on, all held before any is let go, so that they differ. */
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

/** The last lines that a child printed, once it has ended; reads on so that the child never waits. */
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
    // ended already
  }
}
